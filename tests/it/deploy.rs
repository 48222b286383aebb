//! The units for systemd: systemd takes them, and finds little that the service could do besides its work.

use std::fs;
use std::path::Path;
use std::process::Command;

const UNITS: [&str; 2] = ["nejiboard.service", "nejiboard.socket"];

#[test]
fn systemd_takes_the_units_and_finds_them_closed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("systemd-analyze is absent: install systemd");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for unit in UNITS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(unit);
        // It looks for the program, which is not installed here.
        let text = fs::read_to_string(path).unwrap();
        let text = text.replace("/usr/local/bin/nejiboard", env!("CARGO_BIN_EXE_nejiboard"));
        fs::write(folder.path().join(unit), text).unwrap();
    }
    let paths = UNITS.map(|unit| folder.path().join(unit));
    let verified = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&paths).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("nejiboard")).collect();
    assert!(verified.status.success() && ours.is_empty(), "{said}");
    // Ten is what a service without walls gets, in tenths a hundred.
    let looked = Command::new("systemd-analyze")
        .args(["security", "--offline=yes", "--no-pager", "--threshold=20"])
        .arg(&paths[0])
        .output()
        .unwrap();
    assert!(looked.status.success(), "{}", String::from_utf8_lossy(&looked.stdout));
}
