//! Taking a request's own secrets out of what a server sent back: some echo all that they were sent.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    policy::{Credentials, Policy},
    template::goes_to_all,
};

/// What stands where a secret stood.
const MASK: &str = "***";

/// Shorter values would be found in any text, and nobody guards them well.
const SHORTEST: usize = 4;

impl Policy {
    /// A text of a server's as it may be shown: without the credentials and headers that a request was made with.
    #[must_use]
    pub(crate) fn masked(&self, text: String) -> String {
        let secrets = self.secrets().into_iter();
        secrets
            .filter(|secret| secret.len() >= SHORTEST)
            .fold(text, |text, secret| text.replace(&secret, MASK))
    }

    fn secrets(&self) -> Vec<String> {
        let private = |(name, _): &&(String, _)| !goes_to_all(name);
        let headers = self.headers.iter().filter(private);
        let mut secrets: Vec<String> = headers
            .map(|(_, secret)| secret.reveal().to_owned())
            .collect();
        match &self.credentials {
            None => {}
            Some(Credentials::Bearer(token)) => secrets.push(token.reveal().to_owned()),
            Some(Credentials::Basic(pair)) => {
                secrets.push(STANDARD.encode(pair.reveal()));
                let password = pair.reveal().split_once(':').map(|(_, password)| password);
                secrets.extend(password.map(str::to_owned));
            }
        }
        secrets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Secret;

    #[test]
    fn what_a_server_echoes_shows_no_secret() {
        let policy = |credentials: Credentials, headers: &[(&str, &str)]| Policy {
            credentials: Some(credentials),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
                .collect(),
            ..Policy::default()
        };
        let bearer = policy(
            Credentials::Bearer(Secret::new("t0ken")),
            &[("Cookie", "session=1"), ("Accept", "text"), ("X", "ab")],
        );
        let basic = policy(Credentials::Basic(Secret::new("user:passw0rd")), &[]);
        for (policy, text, shown) in [
            (&bearer, "Bearer t0ken, session=1", "Bearer ***, ***"),
            (&bearer, "text ab", "text ab"),
            (&basic, "Basic dXNlcjpwYXNzdzByZA==", "Basic ***"),
            (&basic, "user has passw0rd", "user has ***"),
        ] {
            assert_eq!(policy.masked(text.to_owned()), shown);
        }
    }
}
