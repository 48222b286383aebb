//! `verify`: proves that `public/` is what a clean build would give.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::builder::Builder;
use super::error::Error;
use super::{Console, DONE_WITH_PROBLEMS};
use crate::disk::{self, DiskError};
use crate::model::{Coding, Problem};
use crate::store::audit::{self, Audit};
use crate::store::site_dir::SiteDir;

/// Builds everything beside `public/` and compares.
pub fn verify(dir: SiteDir, console: &Console) -> Result<u8, Error> {
    let public = dir.public();
    let folder = dir.beside();
    let (builder, mut report) = Builder::open(dir, &console.progress)?;
    let drawn = builder.draw_beside(folder.clone(), &console.progress, &mut report);
    disk::point("drawn for comparison");
    let compared = drawn.and_then(|()| compare(&public, &folder, &builder.old_assets().map(PathBuf::from).collect()));
    let _ = fs::remove_dir_all(&folder);
    let (pages, differences) = compared?;
    let told = console.tell_problems(&report.problems);
    console.tell_problems(&differences);
    let seconds = console.progress.seconds();
    let line = format!("{pages} pages compared, {} differ, {seconds:.2} seconds", differences.len());
    let summary = json!({ "command": "verify", "pages": pages, "differences": differences.len(), "seconds": seconds });
    console.conclude(&line, &summary)?;
    Ok(if differences.is_empty() { told } else { DONE_WITH_PROBLEMS })
}

/// Reads all posts, and tells what is wrong with them. Builds and writes nothing, so a copy or a running site will do.
pub fn verify_content(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    console.progress.stage("reading");
    let audit = audit::audit(dir.root(), &dir.inbox(), &|| console.progress.tick())?;
    let told = console.tell_problems(&audit.problems);
    let Audit { boards, threads, posts, waiting, ref problems } = audit;
    let (problems, seconds) = (problems.len(), console.progress.seconds());
    let line = format!(
        "{boards} boards, {threads} threads, {posts} posts and {waiting} in the inbox, {problems} problems, \
         {seconds:.2} seconds"
    );
    let summary = json!({
        "command": "verify", "boards": boards, "threads": threads, "posts": posts, "waiting": waiting,
        "problems": problems, "seconds": seconds,
    });
    console.conclude(&line, &summary)?;
    Ok(told)
}

/// Compares two folders; gives how many files there are, and those that differ. Old assets may be there, and no clean
/// build makes them; that each holds what its name says has been seen.
fn compare(public: &Path, clean: &Path, old_assets: &BTreeSet<PathBuf>) -> Result<(usize, Vec<Problem>), Error> {
    let (there, wanted) = (files(public)?, files(clean)?);
    let mut differences = Vec::new();
    for path in there.union(&wanted) {
        let problem = |message: &str| Problem::new(public.join(path), message).hint("`nejiboard build` puts it right");
        if !there.contains(path) {
            differences.push(problem("is missing"));
        } else if !wanted.contains(path) && old_assets.contains(&plain(path)) {
            continue;
        } else if !wanted.contains(path) {
            differences.push(problem("should not be there"));
        } else if disk::read(&public.join(path))? != disk::read(&clean.join(path))? {
            differences.push(problem("differs from a clean build"));
        }
    }
    Ok((there.union(&wanted).count(), differences))
}

/// The file of which this one is a packed sibling, or the file itself.
fn plain(path: &Path) -> PathBuf {
    let sibling = path.to_str().and_then(Coding::of_sibling);
    sibling.map_or_else(|| path.to_owned(), |(plain, _)| PathBuf::from(plain))
}

/// All files below a folder, drafts and all.
fn files(folder: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let mut files = BTreeSet::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        let path = folder.join(&below);
        let listing = match fs::read_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            listing => listing.map_err(DiskError::doing("list", &path))?,
        };
        for entry in listing {
            let entry = entry.map_err(DiskError::doing("list", &path))?;
            let inside = below.join(entry.file_name());
            match entry.path().is_dir() {
                true => folders.push(inside),
                false => drop(files.insert(inside)),
            }
        }
    }
    Ok(files)
}
