//! nginx over the same files, as Debian packs it, with a configuration that is as good as we know.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::program::{memory, processor_time};

/// A running nginx, until this is dropped.
pub struct Nginx {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
}

impl Nginx {
    /// Starts it over the files in `public`; `None` if it is not installed.
    pub fn start(folder: &Path, public: &Path) -> Option<Nginx> {
        // The port is free a moment later; nobody else here takes it.
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let here = std::path::absolute(folder.join("nginx")).expect("the folder is there");
        let public = std::path::absolute(public).expect("the folder is there");
        fs::create_dir_all(&here).expect("a fresh folder takes folders");
        let (here_text, public) = (here.display(), public.display());
        let configuration = format!(
            "daemon off; pid {here_text}/pid; error_log {here_text}/error.log; user root;\n\
             worker_processes 2; worker_rlimit_nofile 20000;\n\
             events {{ worker_connections 19900; use epoll; }}\n\
             http {{\n\
               types {{ text/html html; text/css css; }} charset utf-8;\n\
               access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;\n\
               keepalive_timeout 75; keepalive_requests 100000000;\n\
               client_body_temp_path {here_text}/body; proxy_temp_path {here_text}/proxy;\n\
               fastcgi_temp_path {here_text}/fastcgi; uwsgi_temp_path {here_text}/uwsgi; scgi_temp_path {here_text}/scgi;\n\
               server {{ listen {address} backlog=4096; root {public}; index index.html; }}\n\
             }}\n"
        );
        let path = here.join("nginx.conf");
        fs::write(&path, configuration).expect("a fresh folder takes files");
        let mut command = Command::new("nginx");
        command.arg("-e").arg(here.join("error.log")).arg("-p").arg(&here).arg("-c").arg(&path);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(10), "nginx does not listen: see {here_text}/error.log");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Nginx { address, child })
    }

    /// The most memory that all its processes had, in KiB.
    pub fn peak_memory(&self) -> u64 {
        self.sum("VmHWM:")
    }

    /// The memory that they have now, in KiB.
    pub fn memory(&self) -> u64 {
        self.sum("VmRSS:")
    }

    fn sum(&self, name: &str) -> u64 {
        self.processes().into_iter().map(|id| memory(id, name)).sum()
    }

    /// The time of processors that all its processes have taken.
    pub fn processor_time(&self) -> Duration {
        self.processes().into_iter().map(processor_time).sum()
    }

    /// The numbers of the one that was started and of its workers.
    fn processes(&self) -> Vec<u32> {
        let master = self.child.id();
        let list = fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap_or_default();
        [master].into_iter().chain(list.split_whitespace().filter_map(|id| id.parse().ok())).collect()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it, if it is asked and not killed.
        if let Some(id) = rustix::process::Pid::from_raw(self.child.id() as i32) {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
