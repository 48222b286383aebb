//! Arguments in, exit code out.

use std::process::ExitCode;

use clap::Parser;
use nejiboard::app;
use nejiboard::cli::Cli;

fn main() -> ExitCode {
    // A wrong command line ends here, with exit code 2.
    let cli = Cli::parse();
    ExitCode::from(app::run(cli))
}
