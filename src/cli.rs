//! The command line, as values. Opens no file.

mod moderation;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use moderation::{HeldTargets, ModCommand, Moderate, Say, Signed, Targets, UserAction};

/// An anonymous message board that is a static site.
///
/// A site is a directory: boards and threads are plain files under content/, pages are static files under public/, and
/// a post is a file in posts-inbox/. There is no database.
#[derive(Parser, Debug)]
#[command(name = "nejiboard", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  nejiboard new myboard            make a site in ./myboard
  nejiboard --root myboard serve   build it, show it at http://127.0.0.1:8080 and take posts
  nejiboard build                  build the site of this directory, only what changed
  nejiboard import 4chan archive/ --board po
                                   take in threads saved from a board

Exit codes:
  0  fine
  1  done, but some files had problems, which were told
  2  the command line makes no sense
  3  it could not be done";

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// The site's directory
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub root: PathBuf,
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// End with one line of JSON on standard output, for programs; `serve` writes it when it is ready
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more; twice for even more
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How problems and log lines look on standard error: for people, or a JSON object a line
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum LogFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a new site, with commented settings and a first board
    New {
        /// Where; it must be empty or not there yet
        dir: PathBuf,
    },
    /// Build public/ from content/: only what changed, unless --clean
    Build {
        /// Build everything beside the old pages, and put it in their place at the end
        #[arg(long, conflicts_with = "watch")]
        clean: bool,
        /// Go on, and build what edits and posts change, beside a `serve --no-build`
        #[arg(long)]
        watch: bool,
        /// End the process, so that it can be started anew, if it is stuck for so long
        #[arg(long, value_name = "SECONDS", requires = "watch", value_parser = seconds)]
        watchdog: Option<Duration>,
    },
    /// Serve the site, take posts, and rebuild what they and edits by hand change
    ///
    /// Pages and posts share one port. Files under content/ and themes/ may be edited and files may be dropped into
    /// posts-inbox/ while it runs. It stops on Ctrl-C or SIGTERM, after what was accepted is built. On SIGHUP it puts
    /// the program that now stands at its path in its own place, without refusing anybody.
    Serve(Serve),
    /// Read everything and list all problems, without writing
    Check,
    /// Build everything beside public/ and compare, byte for byte
    Verify {
        /// Look at content/ and posts-inbox/ alone, as in a back-up: is every post there to be read, and once?
        #[arg(long)]
        content: bool,
    },
    /// Take in threads from elsewhere
    ///
    /// Boards that do not exist are made. It may be run again, also after it was killed: what is there already stays as
    /// it is. Old addresses and where they lead now are written to redirects.txt, and what could not be carried over to
    /// a report. Build the site afterwards.
    Import(Import),
    /// Write all threads as text that other programs and `import` read
    ///
    /// What `import jsonl` makes of it are the same threads, to the letter. It may be run beside `serve`. Broken thread
    /// files are told, and what can be read of them is written.
    Export(Export),
    /// Print the configuration of another server that hands the site out
    ///
    /// It has the same headers as `serve` sends: how long what may be kept, and what a page may load. Behind nginx and
    /// Caddy, readers do not need `serve`, and posters are passed on to it.
    Headers {
        /// The server
        server: FrontServer,
        /// Where and how it stands
        #[command(flatten)]
        options: HeaderOptions,
    },
    /// Moderate: remove posts, lock threads, undo that
    ///
    /// A running `serve` carries it out; where none runs, this does. All is kept in a log that only the operator can
    /// read, and can be undone.
    Mod(Moderate),
    /// Print the tripcode of each line of standard input
    ///
    /// A line is a name as it is typed into the form, `name#key` or `name##secret`; a line without `#` is a key. A secure
    /// tripcode depends on a key of the site, of which a new one can take the place.
    Tripcode(Tripcode),
    /// Begin a theme of your own
    Theme {
        /// What to do
        #[command(subcommand)]
        action: ThemeAction,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What `tripcode` takes.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Tripcode {
    /// Make a new key of secure tripcodes, for all posts from now on; the old ones are kept
    #[arg(long)]
    pub rotate: bool,
    /// With --rotate: for so many days names show the tripcodes by the old and by the new key, 0 to 365
    #[arg(long, value_name = "DAYS", requires = "rotate", default_value_t = 30,
          value_parser = clap::value_parser!(u16).range(0..=365))]
    pub both: u16,
    /// List the keys, newest last
    #[arg(long, conflicts_with = "rotate")]
    pub keys: bool,
    /// Print what this key gives, by its id
    #[arg(long, value_name = "ID", conflicts_with_all = ["rotate", "keys"])]
    pub key: Option<u32>,
}

/// What `import` takes.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Import {
    /// What the sources are
    pub format: Format,
    /// Files or folders; `-` is standard input (jsonl only)
    #[arg(required = true)]
    pub sources: Vec<PathBuf>,
    /// The board to import to, where the folders of the sources do not tell it; jsonl takes only this board if it is given
    #[arg(long, value_name = "B")]
    pub board: Option<String>,
    /// Where old addresses and where they lead now go [default: redirects.txt in the site's directory]
    #[arg(long, value_name = "FILE")]
    pub redirects: Option<PathBuf>,
    /// Where the report goes [default: below .nejiboard/import/]
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// What `export` takes.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// The form
    pub format: ExportFormat,
    /// Where to; `-` and nothing are standard output
    pub file: Option<PathBuf>,
    /// A board, may be given several times [default: all]
    #[arg(long = "board", value_name = "B")]
    pub boards: Vec<String>,
}

/// The forms that can be exported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum ExportFormat {
    /// One JSON object a line: boards, threads and posts
    Jsonl,
}

/// What `serve` takes.
#[derive(Args, Clone, PartialEq, Eq, Debug)]
pub struct Serve {
    /// Address and port to listen at; a socket that a service manager hands over comes first
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address and port at which /metrics and /healthz tell how it is; keep it from the public
    #[arg(long, value_name = "ADDR")]
    pub monitor: Option<SocketAddr>,
    /// Take posts and show pages, but leave building to a `build --watch`
    #[arg(long)]
    pub no_build: bool,
    /// End the process, so that it can be started anew, if it is stuck for so long
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub watchdog: Option<Duration>,
    /// How many connections the door takes.
    #[command(flatten)]
    pub connections: Connections,
}

/// A time in whole seconds, at least one.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(error) => Err(error.to_string()),
    }
}

/// What can be done with themes.
#[derive(Subcommand, Clone, Debug)]
pub enum ThemeAction {
    /// Write the built-in theme to themes/NAME/, to be changed there
    ///
    /// What you delete of it again comes from the built-in theme, also when that gets better.
    Eject {
        /// The new theme's name
        name: String,
    },
}

/// Servers that can stand in front.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum FrontServer {
    /// A file for /etc/nginx/conf.d/
    Nginx,
    /// A Caddyfile
    Caddy,
    /// A file `_headers`, as Netlify, Cloudflare Pages and others read it
    Netlify,
}

/// Where and how a server in front stands.
#[derive(Args, Clone, Debug)]
pub struct HeaderOptions {
    /// Where `serve` listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub door: String,
    /// Where to listen, if not at the ports where browsers look
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Where the pages are, if not in public/ of the site
    #[arg(long, value_name = "DIR")]
    pub public: Option<PathBuf>,
    /// The certificate for TLS (nginx; Caddy gets its own)
    #[arg(long, value_name = "FILE", requires = "certificate_key")]
    pub certificate: Option<PathBuf>,
    /// The key of the certificate
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub certificate_key: Option<PathBuf>,
}

/// How many connections the door takes.
#[derive(Args, Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Connections {
    /// Connections that are open together [default: 16384, at most half of the files that may be open]
    #[arg(long = "connections", value_name = "N", value_parser = at_least_one)]
    pub max: Option<usize>,
    /// Connections of one IPv4 address or IPv6 /64 network [default: 64]
    #[arg(long = "connections-per-address", value_name = "N", value_parser = at_least_one)]
    pub per_address: Option<usize>,
    /// Connections of one address of this machine itself, such as a proxy's [default: 4096]
    #[arg(long = "connections-from-here", value_name = "N", value_parser = at_least_one)]
    pub from_here: Option<usize>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least one is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}

/// What can be imported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub enum Format {
    /// One JSON object a line: boards, threads and posts
    Jsonl,
    /// Threads of 4chan: files of its read API, or saved pages
    #[value(name = "4chan")]
    Fourchan,
    /// Threads of vichan and its relatives (lainchan, infinity …): files of their read API, or saved pages
    Vichan,
    /// Threads of 2ch and its relatives: `.dat` files in cp932, EUC-JP or UTF-8
    #[value(name = "2ch")]
    TwoChannel,
    /// Topics of a Discourse forum: files as it serves them at `/t/ID.json`
    Discourse,
    /// Questions and answers of a dump of Stack Exchange: `Posts.xml`, and `Users.xml` beside it
    Stackexchange,
}

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Fourchan => "4chan",
            Format::Vichan => "vichan",
            Format::TwoChannel => "2ch",
            Format::Discourse => "discourse",
            Format::Stackexchange => "stackexchange",
        }
    }
}
