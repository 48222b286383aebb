//! What a site is written as beside its pages, for programs that read boards.

/// A way to write a board.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Format {
    /// The read API of 4chan.
    Json,
    /// Atom.
    Feeds,
    /// The files of 2ch, in Shift_JIS.
    TwoChannel,
    /// The paths of vichan, for the pages and the JSON.
    Vichan,
}

impl Format {
    /// All of them.
    pub const ALL: [Format; 4] = [Format::Json, Format::Feeds, Format::TwoChannel, Format::Vichan];

    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Feeds => "feeds",
            Format::TwoChannel => "2ch",
            Format::Vichan => "vichan",
        }
    }
}

/// Some of all formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Formats([bool; Format::ALL.len()]);

impl Formats {
    /// None of them: pages alone.
    pub const NONE: Formats = Formats([false; Format::ALL.len()]);

    /// Adds one.
    pub fn insert(&mut self, format: Format) {
        self.0[format as usize] = true;
    }

    /// Takes one away.
    pub fn remove(&mut self, format: Format) {
        self.0[format as usize] = false;
    }

    /// Whether it is among them.
    pub fn has(self, format: Format) -> bool {
        self.0[format as usize]
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Format> {
        Format::ALL.into_iter().filter(move |format| self.has(*format))
    }
}

impl Default for Formats {
    /// What costs little and many programs read.
    fn default() -> Formats {
        let mut formats = Formats::NONE;
        formats.insert(Format::Json);
        formats.insert(Format::Feeds);
        formats
    }
}
