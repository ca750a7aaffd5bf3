// A Python module that leaks a block, through Python's own wrappers and one of its own.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static void* volatile used;

static __attribute__((noinline)) void* raw_memory(size_t bytes) {
    void* block = PyMem_RawMalloc(bytes);
    if (block == NULL) abort();
    return block;
}

static __attribute__((noinline)) void store_bytes(size_t bytes) {
    used = raw_memory(bytes);
    used = NULL;
}

static PyObject* store(PyObject* module, PyObject* argument) {
    (void)module;
    store_bytes(PyLong_AsSize_t(argument));
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"store", store, METH_O, "Leaks so many bytes."}, {NULL, NULL, 0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "planted_module", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_planted_module(void) {
    return PyModule_Create(&definition);
}
