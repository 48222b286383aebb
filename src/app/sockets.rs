//! Sockets that a process finds open when it starts: from a service manager (`LISTEN_FDS`), or from the process in whose
//! place it is to come.

use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use command_fds::{CommandFdExt, FdMapping};
use listenfd::ListenFd;

use super::error::Error;

/// The name of sockets at which the figures are asked for.
const MONITOR: &str = "monitor";

/// The name of sockets at which the site is asked for. So are all that have any other name.
const SITE: &str = "site";

/// The name of the socket at which the old process waits for the new one.
const PREDECESSOR: &str = "predecessor";

/// The first file that a process finds open beside its standard ones.
const FIRST_FD: i32 = 3;

/// The sockets that were found.
#[derive(Default)]
pub struct Inherited {
    /// For the site's own door; several if it listens at several addresses.
    pub site: Vec<TcpListener>,
    /// For the door for monitoring.
    pub monitor: Option<TcpListener>,
    /// Where the old process wants to hear that this one is ready.
    pub predecessor: Option<UnixDatagram>,
}

impl Inherited {
    /// Takes what the environment tells of. To be called once, before other threads are begun.
    pub fn take() -> Result<Inherited, Error> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut found = ListenFd::from_env();
        let mut inherited = Inherited::default();
        for nth in 0..found.len() {
            match names.next().unwrap_or_default() {
                PREDECESSOR => inherited.predecessor = found.take_unix_datagram(nth).map_err(Error::Inherited)?,
                MONITOR => inherited.monitor = found.take_tcp_listener(nth).map_err(Error::Inherited)?,
                _ => inherited.site.extend(found.take_tcp_listener(nth).map_err(Error::Inherited)?),
            }
        }
        Ok(inherited)
    }
}

/// Copies of the sockets at which a process listens, for the one that comes in its place.
#[derive(Default)]
pub struct Heirloom {
    sockets: Vec<(&'static str, TcpListener)>,
}

impl Heirloom {
    /// Keeps copies of these.
    pub fn of(site: &[TcpListener], monitor: Option<&TcpListener>) -> std::io::Result<Heirloom> {
        let site = site.iter().map(|socket| (SITE, socket));
        let all = site.chain(monitor.map(|socket| (MONITOR, socket)));
        let sockets = all.map(|(name, socket)| Ok((name, socket.try_clone()?))).collect::<std::io::Result<_>>()?;
        Ok(Heirloom { sockets })
    }

    /// Leaves the sockets to the process that `command` starts, and with them one at which to say that it is ready.
    pub fn leave_to(&self, command: &mut Command, ready: UnixDatagram) -> std::io::Result<()> {
        let mut names = vec![PREDECESSOR];
        let mut files: Vec<OwnedFd> = vec![ready.into()];
        for (name, socket) in &self.sockets {
            names.push(name);
            files.push(socket.try_clone()?.into());
        }
        // The process's own number is not known before it is there, so `LISTEN_PID` is left out. `WATCHDOG_PID` would
        // name the old one.
        command.env("LISTEN_FDS", files.len().to_string()).env("LISTEN_FDNAMES", names.join(":"));
        command.env_remove("LISTEN_PID").env_remove("WATCHDOG_PID");
        let mapping = |(parent_fd, child_fd)| FdMapping { parent_fd, child_fd };
        let mappings = files.into_iter().zip(FIRST_FD..).map(mapping).collect();
        command.fd_mappings(mappings).map_err(std::io::Error::other)?;
        Ok(())
    }
}
