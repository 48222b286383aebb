//! The files of a theme: those of `themes/<name>/` over those that are built in, file by file. Only its texts are put
//! together key by key, see [`locale`](super::locale).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::settings;
use crate::disk::{self, DiskError};
use crate::model::Problem;
use crate::model::theme::{ThemeFile, ThemeFiles};

/// The built-in theme, packed by `build.rs`.
static BUILT_IN: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/builtin_theme.rs"));

/// The name of the built-in theme. A folder of this name overrides it like any other.
pub const BUILT_IN_NAME: &str = "default";

/// The largest file that a theme can have, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// No folder of this name.
    #[error("there is no theme `{name}`: no folder `{}`", folder.display())]
    Unknown {
        /// The name that the settings give.
        name: String,
        /// Where it would be.
        folder: PathBuf,
    },
    /// A file could not be read.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The folder could not be walked.
    #[error("cannot list the theme `{}`", folder.display())]
    Walk {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: walkdir::Error,
    },
    /// Texts that cannot be used.
    #[error("the texts of the theme have {} problem{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    Texts(Vec<Problem>),
    /// A file that is too large to be meant.
    #[error("`{}` is larger than {FILE_BYTES_MAX} bytes", .0.display())]
    TooLarge(PathBuf),
    /// A name that a theme cannot have.
    #[error("`{name}` cannot be a theme: it must be {rule}")]
    BadName {
        /// The name.
        name: String,
        /// What a name is.
        rule: String,
    },
    /// There is one already, which would be written over.
    #[error("there is something at `{}` already", .0.display())]
    Exists(PathBuf),
}

/// Reads the theme `name`; `themes` is the site's folder of themes, which need not exist for the built-in one.
pub fn read(themes: &Path, name: &str) -> Result<ThemeFiles, ThemeError> {
    let mut files: BTreeMap<String, ThemeFile> = built_in_files().map(|(path, file)| (path.to_owned(), file)).collect();
    let folder = themes.join(name);
    if folder.is_dir() {
        read_over(&folder, &mut files)?;
    } else if name != BUILT_IN_NAME {
        return Err(ThemeError::Unknown { name: name.to_owned(), folder });
    }
    Ok(ThemeFiles { name: name.to_owned(), files })
}

/// Writes the built-in theme to `themes/<name>/`, all of it or nothing, and gives the folder.
pub fn eject(themes: &Path, name: &str) -> Result<PathBuf, ThemeError> {
    let name = settings::theme_name(name).map_err(|rule| ThemeError::BadName { name: name.to_owned(), rule })?;
    let folder = themes.join(&name);
    if folder.symlink_metadata().is_ok() {
        return Err(ThemeError::Exists(folder));
    }
    // Folders that begin with a dot are no themes, and a site that is being served does not look at them.
    let draft = themes.join(format!(".{name}.draft"));
    let _ = std::fs::remove_dir_all(&draft);
    for (path, bytes) in BUILT_IN {
        let at = draft.join(path);
        disk::create_dir_all(at.parent().unwrap_or(&draft))?;
        match *path {
            "theme.yaml" => disk::replace_soon(&at, named(bytes, &name).as_bytes())?,
            _ => disk::replace_soon(&at, bytes)?,
        }
    }
    std::fs::rename(&draft, &folder).map_err(DiskError::doing("rename", &draft))?;
    Ok(folder)
}

/// `theme.yaml` under another name.
fn named(yaml: &[u8], name: &str) -> String {
    let rest = String::from_utf8_lossy(yaml);
    let rest = rest.lines().filter(|line| !line.starts_with("name:"));
    rest.fold(format!("name: {name}\n"), |text, line| text + line + "\n")
}

/// The files of the built-in theme, by their paths.
pub(super) fn built_in_files() -> impl Iterator<Item = (&'static str, ThemeFile)> {
    BUILT_IN.iter().map(|(path, bytes)| {
        let origin = PathBuf::from(format!("(built-in theme)/{path}"));
        (*path, ThemeFile { origin, bytes: bytes.to_vec() })
    })
}

fn read_over(folder: &Path, files: &mut BTreeMap<String, ThemeFile>) -> Result<(), ThemeError> {
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(|source| ThemeError::Walk { folder: folder.to_owned(), source })?;
        // An editor's back-up copies are not part of the theme.
        if !entry.file_type().is_file() || entry.file_name().as_encoded_bytes().ends_with(b"~") {
            continue;
        }
        if entry.metadata().is_ok_and(|meta| FILE_BYTES_MAX < meta.len()) {
            return Err(ThemeError::TooLarge(entry.into_path()));
        }
        let Some(name) = entry.path().strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
        let bytes = disk::read(entry.path())?;
        files.insert(name.to_owned(), ThemeFile { origin: entry.path().to_owned(), bytes });
    }
    Ok(())
}
