//! Stamps the version and packs the built-in theme into the binary; nothing else.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=themes/default");
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let theme = root.join("themes/default");
    let mut files = Vec::new();
    collect(&theme, &theme, &mut files);
    files.sort();
    let mut code = String::from("&[\n");
    for name in files {
        let path = theme.join(&name);
        println!("cargo::rerun-if-changed={}", path.display());
        writeln!(code, "    ({name:?}, include_bytes!({path:?})),").expect("a string takes all");
    }
    code.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rustc-env=NEJIBOARD_BUILD={}", stamp(&root));
    fs::write(out.join("builtin_theme.rs"), code).expect("the build folder can be written");
}

/// Tells builds of the program apart: pages that another one has drawn are drawn again. A hash of our own sources.
fn stamp(root: &Path) -> String {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let mut files = vec!["Cargo.lock".to_owned()];
    let source = root.join("src");
    let mut sources = Vec::new();
    collect(&source, &source, &mut sources);
    sources.sort();
    files.extend(sources.into_iter().map(|name| format!("src/{name}")));
    // FNV-1a, 64 bits: good enough to tell versions apart, and nothing to depend on.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for name in files {
        for byte in fs::read(root.join(name)).unwrap_or_default() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

/// The paths of all files below `folder`, as they are below `top`, with `/` between their segments.
fn collect(top: &Path, folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the built-in theme is there") {
        let path = entry.expect("the built-in theme can be listed").path();
        if path.is_dir() {
            collect(top, &path, files);
        } else {
            let name = path.strip_prefix(top).expect("it lies below").to_str().expect("our names are UTF-8");
            files.push(name.to_owned());
        }
    }
}
