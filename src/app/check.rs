//! `check`: reads everything, writes nothing, tells all problems.

use serde_json::json;

use super::error::Error;
use super::{Console, DONE, FAILED, clock};
use crate::model::{Problem, Site};
use crate::render::{Theme, excerpt};
use crate::store::content::{self, ContentError};
use crate::store::site_dir::SiteDir;
use crate::store::theme;

/// Checks settings, theme and all threads.
pub fn check(dir: &SiteDir, console: &Console) -> Result<u8, Error> {
    let frame = match content::read_frame(dir.root()) {
        Ok(frame) => frame,
        Err(ContentError::Settings(problems)) => {
            // Without settings there is no telling what the rest means, but nothing of them is left untold.
            console.tell_problems(&problems);
            conclude(0, 0, problems.len(), console)?;
            return Ok(FAILED);
        }
        Err(error) => return Err(error.into()),
    };
    let mut problems = frame.problems;
    let mut code = DONE;
    if let Err(problem) = check_theme(dir, &frame.settings.theme, frame.settings.prefix()) {
        problems.push(problem);
        code = FAILED;
    }
    let mut site = Site::new(frame.settings, frame.boards);
    console.progress.stage("reading");
    let boards: Vec<_> = site.boards().map(|board| board.slug.clone()).collect();
    for board in &boards {
        let tick = || console.progress.tick();
        let found = content::find_changes_on(dir.root(), &site, board, clock::now_ns(), excerpt, &tick)?;
        problems.extend(found.problems);
        site.apply(found.changes);
    }
    problems.extend(content::collisions(dir.root(), &site));
    let told = console.tell_problems(&problems);
    let threads = site.boards().map(|board| board.threads_visible()).sum();
    conclude(site.boards().count(), threads, problems.len(), console)?;
    Ok(code.max(told))
}

/// A theme that cannot be used is a problem like others here, so that the threads are checked all the same.
fn check_theme(dir: &SiteDir, name: &str, prefix: &str) -> Result<(), Problem> {
    let files = theme::read(&dir.themes(), name).map_err(|error| Problem::new(dir.themes(), error.to_string()))?;
    match Theme::compile(&files, prefix) {
        Ok(_) => Ok(()),
        Err(bad) => {
            let problem = Problem::new(&bad.path, bad.message);
            Err(bad.place.map_or(problem.clone(), |(line, column)| problem.at(line, column)))
        }
    }
}

fn conclude(boards: usize, threads: usize, problems: usize, console: &Console) -> Result<(), Error> {
    let seconds = console.progress.seconds();
    let line = format!("{boards} boards, {threads} threads, {problems} problems, {seconds:.2} seconds");
    let summary = json!({
        "command": "check", "boards": boards, "threads": threads, "problems": problems, "seconds": seconds,
    });
    console.conclude(&line, &summary)
}
