//! Tells rustc where the installed libhakmem is: in the folder that `LIBHAKMEM_DIR` names, else where pkg-config says.
//! The feature `static`, or `LIBHAKMEM_STATIC=1`, links libhakmem.a.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{exit, Command};

fn give_up(why: &str) -> ! {
    eprintln!("hakmem-sys: {}", why);
    eprintln!("hakmem-sys: install libhakmem, or set LIBHAKMEM_DIR to the folder of libhakmem.so and libhakmem.a");
    exit(1)
}

/// What the variable of the environment says, if it says something. Cargo runs this program again when it changes.
fn variable(name: &str) -> Option<String> {
    println!("cargo:rerun-if-env-changed={}", name);
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn ask_pkg_config() -> PathBuf {
    let program = variable("PKG_CONFIG").unwrap_or_else(|| "pkg-config".to_string());
    for name in ["PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"] {
        variable(name);
    }
    let version = env!("CARGO_PKG_VERSION");
    let wanted = format!("hakmem >= {}", version);
    let mut command = Command::new(&program);
    command.args(["--libs-only-L", &wanted]).env("PKG_CONFIG_ALLOW_SYSTEM_LIBS", "1");
    match command.output() {
        Err(error) => give_up(&format!("{} cannot be run: {}", program, error)),
        Ok(said) if !said.status.success() => give_up(&format!(
            "{} does not find libhakmem {}: {}",
            program,
            version,
            String::from_utf8_lossy(&said.stderr).trim()
        )),
        Ok(said) => {
            let flags = String::from_utf8_lossy(&said.stdout).trim().to_string();
            match flags.strip_prefix("-L") {
                Some(folder) => PathBuf::from(folder),
                None => give_up(&format!("{} names no folder of libhakmem: \"{}\"", program, flags)),
            }
        }
    }
}

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let folder = match variable("LIBHAKMEM_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => ask_pkg_config(),
    };
    let archive = env::var_os("CARGO_FEATURE_STATIC").is_some() || variable("LIBHAKMEM_STATIC").as_deref() == Some("1");
    let (kind, file) = if archive { ("static", "libhakmem.a") } else { ("dylib", "libhakmem.so") };
    if !Path::new(&folder).join(file).exists() {
        give_up(&format!("there is no {} in {}", file, folder.display()));
    }
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib={}=hakmem", kind);
    if archive {
        // What it needs itself, in the order of the linker: programs without std do not name these.
        println!("cargo:rustc-link-lib=c");
        println!("cargo:rustc-link-lib=gcc");
    }
    // For build scripts of crates that depend on this one: DEP_HAKMEM_LIBDIR.
    println!("cargo:libdir={}", folder.display());
}
