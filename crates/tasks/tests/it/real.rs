//! Both forms against servers that nobody here wrote: nginx, httpbin under gunicorn, and Python's http.server.
//!
//! Where one is not installed, its test says so and passes, except under `CI=true`, where it fails.

use std::{
    fs,
    io::Write as _,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use triway_core::Task as _;
use triway_tasks::http::{Answer, Credentials, Http, Policy, Protocol, Secret, Trust, Url, kinds};

use crate::{
    authority,
    both::{both, run_async},
    python,
};

const PATIENT: Option<Duration> = Some(Duration::from_secs(20));

/// A server of somebody else's, ended with the test.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    /// Starts it and waits until it listens; `None` if it is not installed.
    fn start(port: u16, command: &mut Command) -> Option<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = match quiet.spawn() {
            Ok(process) => process,
            Err(error) => {
                assert!(
                    std::env::var("CI").is_err(),
                    "{name}: {error}; see ci/test.sh"
                );
                let _ = writeln!(std::io::stderr(), "SKIPPED: {name}: {error}");
                return None;
            }
        };
        let server = Self { process, port };
        let until = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "{name} does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    fn url(&self, path: &str) -> Url {
        format!("http://127.0.0.1:{}{path}", self.port)
            .parse()
            .unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its own workers end when it is asked, not when it is killed.
        let pid = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

fn answers(task: &Http, url: &Url) -> [Answer; 2] {
    both(task, url, PATIENT).map(|(form, ended)| match ended {
        Ok(answer) => answer,
        Err(failure) => panic!("{form}: {failure}"),
    })
}

fn nginx(folder: &Path, http: u16, https: u16) -> String {
    let at = folder.display();
    let (certificate, key) = authority::localhost();
    fs::write(folder.join("cert.pem"), certificate).unwrap();
    fs::write(folder.join("key.pem"), key).unwrap();
    fs::write(folder.join("large.txt"), "some text, ".repeat(10_000)).unwrap();
    format!(
        "daemon off; master_process off; pid {at}/pid; error_log {at}/error.log; events {{}}\n\
         http {{ access_log off; gzip on; gzip_types text/plain; gzip_min_length 10;\n\
         client_body_temp_path {at}; proxy_temp_path {at}; fastcgi_temp_path {at};\n\
         uwsgi_temp_path {at}; scgi_temp_path {at}; types {{ text/plain txt; }}\n\
         server {{ listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl http2; root {at};\n\
         ssl_certificate {at}/cert.pem; ssl_certificate_key {at}/key.pem;\n\
         location /ok {{ return 200 \"ok\"; }} location /moved {{ return 301 /ok; }}\n\
         location /gone {{ return 410; }} location /busy {{ add_header Retry-After 7 always; return 503; }} }} }}\n"
    )
}

#[test]
fn nginx_answers_both_alike() {
    let folder = tempfile::tempdir().unwrap();
    let (http, https) = (free_port(), free_port());
    let configuration = folder.path().join("nginx.conf");
    fs::write(&configuration, nginx(folder.path(), http, https)).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&configuration);
    command.arg("-e").arg(folder.path().join("error.log"));
    let Some(server) = Server::start(http, &mut command) else {
        return;
    };
    let task = Http::default();
    for (path, status, decoded, hops) in [
        ("/ok", 200, 2, 0),
        ("/moved", 200, 2, 1),
        ("/large.txt", 200, 110_000, 0),
    ] {
        for answer in answers(&task, &server.url(path)) {
            assert_eq!((answer.status, answer.hops), (status, hops), "{path}");
            assert_eq!(answer.decoded_bytes, decoded, "{path}");
            assert_eq!(
                answer.bytes < answer.decoded_bytes,
                path == "/large.txt",
                "{path}"
            );
        }
    }
    for answer in answers(&task, &server.url("/gone")) {
        let failure = task.judge(&answer).unwrap_err();
        assert_eq!(
            (failure.kind, failure.retryable),
            (kinds::HTTP_STATUS, false)
        );
    }
    for answer in answers(&task, &server.url("/busy")) {
        let failure = task.judge(&answer).unwrap_err();
        assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
    }
    let mut policy = Policy::default();
    policy.trust = Trust::Authorities(authority::pem());
    policy.http2 = true;
    let task = Http::new(policy);
    let url: Url = format!("https://localhost:{https}/ok").parse().unwrap();
    let [blocking, nonblocking] = answers(&task, &url);
    assert_eq!(blocking.protocol, Protocol::Http11);
    assert_eq!(nonblocking.protocol, Protocol::Http2);
    let again = run_async(&task, &url, PATIENT).unwrap();
    assert_eq!((again.protocol, again.tls_s), (Protocol::Http2, None));
}

#[test]
fn httpbin_answers_both_alike() {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(python::program("gunicorn"));
    command.args([
        "-k",
        "gthread",
        "--threads",
        "8",
        "-b",
        &address,
        "httpbin:app",
    ]);
    let Some(server) = Server::start(port, &mut command) else {
        return;
    };
    let task = Http::default();
    for (path, status, hops) in [
        ("/get", 200, 0),
        ("/gzip", 200, 0),
        ("/deflate", 200, 0),
        ("/brotli", 200, 0),
        ("/status/418", 418, 0),
        ("/redirect/3", 200, 3),
        ("/absolute-redirect/2", 200, 2),
        ("/stream/20", 200, 0),
        ("/stream-bytes/5000?seed=1", 200, 0),
        ("/basic-auth/user/secret", 401, 0),
    ] {
        let [blocking, nonblocking] = answers(&task, &server.url(path));
        assert_eq!((blocking.status, blocking.hops), (status, hops), "{path}");
        assert_eq!(
            (nonblocking.status, nonblocking.hops),
            (status, hops),
            "{path}"
        );
        assert_eq!(blocking.decoded_bytes, nonblocking.decoded_bytes, "{path}");
    }
    let mut policy = Policy::default();
    policy.credentials = Some(Credentials::Basic(Secret::new("user:secret")));
    let known = Http::new(policy);
    for answer in answers(&known, &server.url("/basic-auth/user/secret")) {
        assert_eq!(answer.status, 200);
    }
    for (_, ended) in both(
        &task,
        &server.url("/drip?duration=5&numbytes=5"),
        Some(Duration::from_millis(500)),
    ) {
        assert_eq!(ended.unwrap_err().kind, kinds::TIMEOUT_TOTAL);
    }
}

#[test]
fn pythons_server_answers_both_alike() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("page.html"), "<p>text</p>").unwrap();
    let port = free_port();
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        &port.to_string(),
    ]);
    let Some(server) = Server::start(port, command.current_dir(folder.path())) else {
        return;
    };
    let task = Http::default();
    for (path, status) in [("/page.html", 200), ("/", 200), ("/missing", 404)] {
        for answer in answers(&task, &server.url(path)) {
            assert_eq!(
                (answer.status, answer.protocol),
                (status, Protocol::Http10),
                "{path}"
            );
        }
    }
}
