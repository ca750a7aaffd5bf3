// Two shared libraries contain the archive, each its own: a block of one may be freed by the other, or here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char* first_text(const char* text);
char* second_text(const char* text);
void first_free(char* text);
void second_free(char* text);

int main(void) {
    for (int i = 0; i < 30000; i++) {
        char* texts[] = {first_text("first"), second_text("second"), strdup("here"), malloc(5000), malloc(200000)};
        for (int t = 0; t < 5; t++) {
            int who = (t + i) % 3;
            if (who == 0) first_free(texts[t]);
            if (who == 1) second_free(texts[t]);
            if (who == 2) free(texts[t]);
        }
    }
    puts("ok");
    return 0;
}
