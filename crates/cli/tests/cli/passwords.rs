//! `sql` on a real PostgreSQL that asks for passwords and has a certificate.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Stdio};

use tempfile::tempdir;

use crate::{
    postgres::{Postgres, give_away},
    program::{Ended, start, triway},
};

const RULES: &str = "host all owner 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// A server with a table that Ada may write to, whose password is `open sesame`.
fn server(settings: &[&str]) -> Option<Postgres> {
    let server = Postgres::start(settings)?;
    server.psql("create role ada login password 'open sesame'; create table t(n int); grant insert on t to ada");
    fs::write(server.folder.path().join("data/pg_hba.conf"), RULES).unwrap();
    server.psql("select pg_reload_conf()");
    Some(server)
}

/// A row by Ada; whatever is told, her password is not.
fn insert(db: &str, variables: &[(&str, &str)], options: &str) -> Ended {
    let mut command = triway("run sql");
    command
        .args(["insert into t values (:n)", "--db", db])
        .args(options.split_whitespace())
        .args(["--", r#"{"n":1}"#])
        .env_remove("PGPASSWORD")
        .env("HOME", "/nowhere")
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    let ended = start(&mut command).end();
    assert!(!format!("{ended:?}").contains("sesame"), "{ended:?}");
    ended
}

fn says(ended: &Ended, words: &str) {
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.err.contains(words), "{}", ended.err);
}

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn passwords_are_found_and_not_shown() {
    let Some(server) = server(&[]) else {
        return;
    };
    let folder = tempdir().unwrap();
    let [journal, passwords] =
        ["journal", "passwords"].map(|name| folder.path().join(name).display().to_string());
    let line = format!("127.0.0.1:{}:postgres:ada:open sesame\n", server.port);
    fs::write(&passwords, line).unwrap();
    let url = format!("postgres://ada@127.0.0.1:{}/postgres", server.port);
    let with = url.replace("ada@", "ada:open%20sesame@");
    assert_eq!(insert(&url, &[("PGPASSWORD", "open sesame")], "").code, 0);
    assert_eq!(
        insert("env:THERE", &[("THERE", &with)], "-m processes").code,
        0
    );
    let file = [("PGPASSFILE", &*passwords)];
    allow(passwords.as_ref(), 0o644);
    says(&insert(&url, &file, ""), "chmod 600");
    allow(passwords.as_ref(), 0o600);
    let journaled = format!("--journal {journal} -m async");
    says(
        &insert(&url, &file, &journaled),
        "the table triway_done cannot be used: permission denied",
    );
    server.psql("grant create on schema public to ada");
    assert_eq!(
        insert(&url, &file, &format!("{journaled} --resume")).code,
        0
    );
    assert!(!String::from_utf8_lossy(&fs::read(&journal).unwrap()).contains("sesame"));
    says(
        &insert(&url, &[("PGPASSWORD", "wrong")], ""),
        "password authentication failed",
    );
    says(&insert(&url, &[], ""), "password missing");
    says(
        &insert(&url, &[("PGSSLMODE", "perhaps")], ""),
        "sslmode=perhaps",
    );
    assert_eq!(server.psql("select count(*) from t"), "3");
}

#[test]
fn certificates_are_believed_as_far_as_was_asked() {
    let folder = tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = folder.path().join("certificate.pem");
    fs::write(&certificate, made.cert.pem()).unwrap();
    let Some(server) = Postgres::start(&[]) else {
        return;
    };
    server.psql("create table t(n int)");
    let data = server.folder.path().join("data");
    let key = data.join("server.key");
    fs::copy(&certificate, data.join("server.crt")).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    allow(&key, 0o600);
    give_away(&[&key]);
    server.psql("alter system set ssl = on");
    server.psql("select pg_reload_conf()");
    let asked = |host: &str, options: &str| {
        let url = format!("postgres://owner@{host}:{}/postgres?{options}", server.port);
        insert(&url, &[], "")
    };
    let believed = format!("sslmode=verify-full&sslrootcert={}", certificate.display());
    for (host, options) in [
        ("127.0.0.1", "sslmode=prefer"),
        ("127.0.0.1", "sslmode=require"),
        ("localhost", &*believed),
    ] {
        let ended = asked(host, options);
        assert_eq!(ended.code, 0, "{options}: {ended:?}");
    }
    says(&asked("localhost", "sslmode=verify-full"), "UnknownIssuer");
    says(&asked("127.0.0.1", &believed), "not valid for name");
    says(
        &asked("localhost", "sslmode=verify-full&sslrootcert=/nowhere"),
        "sslrootcert=/nowhere: No such file",
    );
}
