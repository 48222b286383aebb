//! What ends a command, and how it is told.

use std::io;
use std::path::PathBuf;

use crate::disk::DiskError;
use crate::model::Problem;
use crate::render::BadTheme;
use crate::store::content::ContentError;
use crate::store::export::ExportError;
use crate::store::import::ImportError;
use crate::store::site_dir::LockError;
use crate::store::theme::ThemeError;

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The site or its settings.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A template.
    #[error("the theme cannot be used")]
    Theme(#[from] BadTheme),
    /// A theme's files.
    #[error(transparent)]
    ThemeFiles(#[from] ThemeError),
    /// Somebody else is at it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// An importer.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// An export.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Sockets that were there at the start are none to listen at.
    #[error("a socket that was handed to this process cannot be used")]
    Inherited(#[source] io::Error),
    /// A part of a running program ended by itself.
    #[error("the {0} has ended, and without it this process is of no use")]
    PartLost(&'static str),
    /// The door gave up.
    #[error("the door cannot go on")]
    Door(#[source] io::Error),
    /// File events cannot be had.
    #[error("cannot watch the site's files")]
    Watch(#[source] notify::Error),
    /// A clean build had failures, and nothing was replaced.
    #[error("the clean build failed, and `public/` is as it was")]
    CleanFailed(Vec<Problem>),
    /// `new` would write over something.
    #[error("`{}` is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// Something that would mean something else in a configuration.
    #[error("`{0}` cannot stand in a configuration")]
    NotPlain(String),
    /// A board's name on the command line.
    #[error("bad name of a board: {0}")]
    BadBoard(crate::model::board::BadSlug),
    /// 4chan threads do not say which board they are from.
    #[error("say which board the threads belong to")]
    BoardNeeded,
    /// An act of staff that makes no sense.
    #[error("this cannot be done: {0}")]
    BadAct(String),
    /// Output could not be written.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
}

impl Error {
    /// The way out, if there is one to tell.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Error::Content(ContentError::NoSite(_)) | Error::Export(ExportError::Content(ContentError::NoSite(_))) => {
                Some("`nejiboard new DIR` makes a site, `--root DIR` names one elsewhere")
            }
            Error::Lock(LockError::Held { .. }) => {
                Some("a running `serve` builds by itself, and takes posts from `posts-inbox/`; stop it for this")
            }
            Error::Listen { .. } => Some("choose another address with `--listen 127.0.0.1:8081`"),
            Error::NotEmpty(_) => Some("name a folder that is empty or not there yet"),
            Error::ThemeFiles(ThemeError::Exists(_)) => Some("choose another name, or move that away"),
            Error::BoardNeeded => Some("add `--board B`; it is made if it is missing"),
            _ => None,
        }
    }

    /// Whether it lies in the settings or the theme: a running `serve` goes on with the last good ones then.
    pub fn is_of_settings(&self) -> bool {
        matches!(self, Error::Content(ContentError::Settings(_)) | Error::Theme(_) | Error::ThemeFiles(_))
    }

    /// The problems that it consists of.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Error::Content(ContentError::Settings(problems))
            | Error::Export(ExportError::Content(ContentError::Settings(problems)))
            | Error::ThemeFiles(ThemeError::Texts(problems))
            | Error::CleanFailed(problems) => problems,
            _ => &[],
        }
    }
}

/// The message of an error and of its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
