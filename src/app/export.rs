//! `export`: threads as lines of JSON, from which `import jsonl` makes the same threads again.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Console;
use super::error::Error;
use crate::cli::Export;
use crate::disk::{self, DiskError};
use crate::model::{BoardSlug, Problem};
use crate::store::export::{ExportError, Exported};
use crate::store::site_dir::SiteDir;

/// Exports what the command names.
pub fn export(dir: &SiteDir, options: &Export, console: &Console) -> Result<u8, Error> {
    let boards: Result<Vec<BoardSlug>, _> = options.boards.iter().map(|board| BoardSlug::parse(board)).collect();
    let boards = boards.map_err(Error::BadBoard)?;
    let mut problems = Vec::new();
    console.progress.stage("exporting");
    let mut write = |out: &mut dyn Write| {
        let tick = || console.progress.tick();
        let mut out = BufWriter::with_capacity(1 << 16, out);
        let came = crate::store::export::export(
            dir.root(),
            &boards,
            &mut out,
            &mut |problem: Problem| problems.push(problem),
            &tick,
        )?;
        out.flush().map_err(ExportError::Write)?;
        Ok(came)
    };
    let file = options.file.as_deref().filter(|path| path.as_os_str() != "-");
    let came = match file {
        Some(path) => to_file(path, &mut write)?,
        None => match write(&mut io::stdout().lock()) {
            // The reader of a pipe may leave early; that is not our failure.
            Err(ExportError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(super::DONE),
            Err(ExportError::Write(error)) => return Err(Error::Output(error)),
            outcome => outcome?,
        },
    };
    let code = console.tell_problems(&problems);
    conclude(came, problems.len(), file, console)?;
    Ok(code)
}

type WriteAll<'a> = &'a mut dyn FnMut(&mut dyn Write) -> Result<Exported, ExportError>;

/// Writes to a file that is there only when it is whole, or to a pipe or device as it is.
fn to_file(path: &Path, write: WriteAll<'_>) -> Result<Exported, Error> {
    let fails = |error: ExportError| match error {
        ExportError::Write(source) => Error::Disk(DiskError { action: "write", path: path.to_owned(), source }),
        other => Error::Export(other),
    };
    if fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        let opened = OpenOptions::new().write(true).open(path);
        return write(&mut opened.map_err(DiskError::doing("open", path))?).map_err(fails);
    }
    // A link stays one.
    let path: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut outcome = None;
    let replaced = disk::replace_soon_with(&path, |out| match write(out) {
        Ok(came) => {
            outcome = Some(Ok(came));
            Ok(())
        }
        Err(ExportError::Write(error)) => Err(error),
        Err(error) => {
            outcome = Some(Err(error));
            Err(io::Error::other("nothing to write"))
        }
    });
    match outcome {
        Some(Err(error)) => Err(fails(error)),
        Some(Ok(came)) => {
            replaced?;
            // Somebody may remove the site next.
            let synced = fs::File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(DiskError::doing("sync", &path))?;
            Ok(came)
        }
        None => Err(replaced.err().map_or_else(|| fails(ExportError::Write(io::ErrorKind::Other.into())), Error::Disk)),
    }
}

fn conclude(came: Exported, problems: usize, file: Option<&Path>, console: &Console) -> Result<(), Error> {
    let seconds = console.progress.seconds();
    let Exported { boards, threads, posts } = came;
    let line = format!("{posts} posts in {threads} threads of {boards} boards written, {seconds:.2} seconds");
    let summary = json!({
        "command": "export", "boards": boards, "threads": threads, "posts": posts, "problems": problems,
        "seconds": seconds,
    });
    if file.is_none() {
        // Standard output holds the threads alone.
        console.progress.finish();
        match (console.common.json, console.common.quiet) {
            (true, _) => eprintln!("{summary}"),
            (false, false) => eprintln!("{line}"),
            (false, true) => {}
        }
        return Ok(());
    }
    console.conclude(&line, &summary)
}
