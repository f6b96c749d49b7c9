//! A local nginx, for clients to be measured on and for our server to be measured against.

use std::{
    fmt::Write as _,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};

/// A server of two workers that answers everything with two bytes.
pub(crate) struct Nginx {
    pub(crate) process: Child,
    pub(crate) port: u16,
}

impl Nginx {
    /// Starts it on a free port, with all its files in `folder`, and waits until it listens.
    pub(crate) fn start(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let configuration = folder.join("nginx.conf");
        fs::write(
            &configuration,
            format!(
                "daemon off; worker_processes 2; pid {0}/nginx.pid; error_log {0}/error.log;\n\
                 events {{ worker_connections 4096; }}\n\
                 http {{ access_log off; keepalive_requests 1000000;\n\
                 client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0};\n\
                 uwsgi_temp_path {0}; scgi_temp_path {0};\n\
                 server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 \"ok\"; }} }} }}\n",
                folder.display()
            ),
        )?;
        let process = Command::new("nginx")
            .arg("-c")
            .arg(&configuration)
            .arg("-e")
            .arg(folder.join("error.log"))
            .spawn()
            .map_err(|error| format!("nginx: {error}; apt-get install nginx-light"))?;
        let server = Self { process, port };
        let until = Instant::now() + Duration::from_secs(5);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > until {
                return Err("nginx did not begin to listen".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// So many distinct URLs on it, a line each.
    pub(crate) fn urls(&self, count: usize) -> String {
        let mut urls = String::new();
        for n in 0..count {
            // Writing into a text does not fail.
            let _ = writeln!(urls, "http://127.0.0.1:{}/{n}", self.port);
        }
        urls
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A kill would leave its workers behind; this asks the master, who tells them.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}
