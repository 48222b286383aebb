//! `mod user`: who may moderate in a browser.

use std::io::{BufRead, IsTerminal, Read, Write};

use serde_json::json;

use super::error::Error;
use super::{Console, DONE, print};
use crate::cli::UserAction;
use crate::model::role::{Role, is_account_name};
use crate::store::site_dir::SiteDir;
use crate::store::users::{ACCOUNTS_MAX, Account, Hash, PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, Users};

/// Does it.
pub fn accounts(dir: &SiteDir, action: UserAction, console: &Console) -> Result<u8, Error> {
    let users = Users::new(dir.users());
    let mut accounts = users.read()?;
    let (done, name) = match action {
        UserAction::List => return list(&accounts, console),
        UserAction::Add { name, role } => {
            check_new(&accounts, &name)?;
            let password = Hash::of(&ask_password()?)?;
            accounts.push(Account { name: name.clone(), role, password });
            ("added", name)
        }
        UserAction::Remove { name } => {
            let at = place(&accounts, &name)?;
            accounts.remove(at);
            ("removed", name)
        }
        UserAction::Password { name } => {
            let at = place(&accounts, &name)?;
            accounts[at].password = Hash::of(&ask_password()?)?;
            ("has a new password", name)
        }
    };
    users.write(&accounts)?;
    console
        .conclude(&format!("account {name}: {done}"), &json!({ "command": "mod", "account": name, "done": done }))?;
    Ok(DONE)
}

fn check_new(accounts: &[Account], name: &str) -> Result<(), Error> {
    if !is_account_name(name) {
        let wrong = "the name of an account is 1 to 32 of a-z, 0-9, `-` and `_`, and neither `nejiboard` nor `reader`";
        return Err(Error::BadAct(wrong.to_owned()));
    }
    if accounts.iter().any(|account| account.name == name) {
        return Err(Error::BadAct(format!("there is an account `{name}` already")));
    }
    if ACCOUNTS_MAX <= accounts.len() {
        return Err(Error::BadAct("there are 1,000 accounts already; remove one".to_owned()));
    }
    Ok(())
}

fn place(accounts: &[Account], name: &str) -> Result<usize, Error> {
    let at = accounts.iter().position(|account| account.name == name);
    at.ok_or_else(|| Error::BadAct(format!("there is no account `{name}`; `mod user list` shows them")))
}

fn list(accounts: &[Account], console: &Console) -> Result<u8, Error> {
    let row = |account: &Account| json!({ "name": account.name, "role": account.role.name() });
    let text = match console.common.json {
        true => format!("{}\n", json!({ "command": "mod", "users": accounts.iter().map(row).collect::<Vec<_>>() })),
        false => accounts.iter().map(|account| format!("{} {}\n", account.name, Role::name(account.role))).collect(),
    };
    print(text.as_bytes())?;
    Ok(DONE)
}

/// Asks for a password, twice where somebody types it.
fn ask_password() -> Result<String, Error> {
    let password = match std::io::stdin().is_terminal() {
        true => {
            let first = ask("Password: ")?;
            if ask("Once more: ")? != first {
                return Err(Error::BadAct("the two passwords differ".to_owned()));
            }
            first
        }
        false => read_line()?,
    };
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(Error::BadAct(format!("a password has at least {PASSWORD_CHARS_MIN} characters")));
    }
    if PASSWORD_BYTES_MAX < password.len() {
        return Err(Error::BadAct(format!("a password has at most {PASSWORD_BYTES_MAX} bytes")));
    }
    Ok(password)
}

/// Asks on the terminal, which does not show what is typed.
fn ask(question: &str) -> Result<String, Error> {
    let mut terminal = std::io::stderr();
    let _ = write!(terminal, "{question}").and_then(|()| terminal.flush());
    let typed = {
        let _hidden = Hidden::begin();
        read_line()
    };
    let _ = writeln!(terminal);
    typed
}

fn read_line() -> Result<String, Error> {
    let mut line = String::new();
    let mut input = std::io::stdin().lock().take(2 * PASSWORD_BYTES_MAX as u64);
    input.read_line(&mut line).map_err(|error| Error::BadAct(format!("cannot read the password: {error}")))?;
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Ok(line)
}

/// While it lives, the terminal does not echo.
struct Hidden(Option<rustix::termios::Termios>);

impl Hidden {
    fn begin() -> Hidden {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &silent);
        }
        Hidden(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = rustix::termios::tcsetattr(std::io::stdin(), rustix::termios::OptionalActions::Flush, before);
        }
    }
}
