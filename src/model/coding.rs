//! How files are packed for readers who can unpack them.

/// A way to pack a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Coding {
    /// Every browser and every program takes it.
    Gzip,
    /// A sixth smaller; every browser takes it over TLS.
    Brotli,
}

impl Coding {
    /// All of them.
    pub const ALL: [Coding; 2] = [Coding::Gzip, Coding::Brotli];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Brotli => "brotli",
        }
    }

    /// The name in `Accept-Encoding` and `Content-Encoding`.
    pub fn token(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Brotli => "br",
        }
    }

    /// What stands behind a file's name in that of its packed sibling.
    pub fn ending(self) -> &'static str {
        match self {
            Coding::Gzip => ".gz",
            Coding::Brotli => ".br",
        }
    }

    /// The path of the packed sibling of a file.
    pub fn sibling(self, path: &str) -> String {
        format!("{path}{}", self.ending())
    }

    /// The file whose sibling has this path, and how it is packed; `None` if the path cannot be that of a sibling.
    pub fn of_sibling(path: &str) -> Option<(&str, Coding)> {
        let named = Coding::ALL.into_iter().find_map(|coding| Some((path.strip_suffix(coding.ending())?, coding)));
        named.filter(|(plain, _)| is_packed(plain))
    }
}

/// Whether files of this name are packed: packing makes text smaller, and pictures and fonts not.
pub fn is_packed(path: &str) -> bool {
    let endings = [
        ".html",
        ".css",
        ".js",
        ".mjs",
        ".json",
        ".map",
        ".txt",
        ".md",
        ".dat",
        ".xml",
        ".svg",
        ".webmanifest",
        ".wasm",
    ];
    endings.iter().any(|ending| path.ends_with(ending))
}

/// Some of all codings.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Codings {
    gzip: bool,
    brotli: bool,
}

impl Codings {
    /// Adds one.
    pub fn insert(&mut self, coding: Coding) {
        match coding {
            Coding::Gzip => self.gzip = true,
            Coding::Brotli => self.brotli = true,
        }
    }

    /// Takes one away.
    pub fn remove(&mut self, coding: Coding) {
        match coding {
            Coding::Gzip => self.gzip = false,
            Coding::Brotli => self.brotli = false,
        }
    }

    /// Whether it is among them.
    pub fn has(self, coding: Coding) -> bool {
        match coding {
            Coding::Gzip => self.gzip,
            Coding::Brotli => self.brotli,
        }
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Coding> {
        Coding::ALL.into_iter().filter(move |coding| self.has(*coding))
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Codings::default()
    }
}
