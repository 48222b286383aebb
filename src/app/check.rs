//! `check`: reads everything, writes nothing, tells all problems.

use serde_json::json;

use super::error::Error;
use super::faults::excerpt;
use super::{Console, DONE, FAILED, clock};
use crate::model::{Problem, Site, SiteSettings};
use crate::render::Theme;
use crate::store::content::{self, ContentError};
use crate::store::filters::Filters;
use crate::store::site_dir::SiteDir;
use crate::store::{locale, theme};

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
    let of_theme = check_theme(dir, &frame.settings, console);
    if !of_theme.is_empty() {
        problems.extend(of_theme);
        code = FAILED;
    }
    if let Err(of_filters) = Filters::read(&dir.filters()) {
        problems.extend(of_filters);
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

/// What is wrong with the theme and its texts: problems like others here, so that the threads are checked all the same.
/// Texts that are missing are told, and no problem.
fn check_theme(dir: &SiteDir, settings: &SiteSettings, console: &Console) -> Vec<Problem> {
    let files = match theme::read(&dir.themes(), &settings.theme) {
        Ok(files) => files,
        Err(error) => return vec![Problem::new(dir.themes(), error.to_string())],
    };
    let problems = locale::audit(&files);
    if !problems.is_empty() {
        return problems;
    }
    let locale = match locale::read(&files, &settings.locale) {
        Ok(locale) => locale,
        Err(problems) => return problems,
    };
    locale.missing.iter().for_each(|missing| console.tell_problem(missing));
    match Theme::compile(&files, &locale.texts, settings.prefix()) {
        Ok(_) => Vec::new(),
        Err(bad) => {
            let problem = Problem::new(&bad.path, bad.message);
            vec![bad.place.map_or(problem.clone(), |(line, column)| problem.at(line, column))]
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
