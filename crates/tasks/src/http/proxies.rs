//! Which requests go through a proxy: the variables that other programs obey as well, read by whoever makes the policy.

use std::net::IpAddr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::{origin::Origin, secret::Secret};

/// The proxies for http and https, and the hosts that are asked directly.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    direct: Vec<Direct>,
}

/// A proxy that speaks HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Proxy {
    pub(super) host: Host<String>,
    pub(super) port: u16,
    /// The value of the header `Proxy-Authorization`.
    pub(super) authorization: Option<Secret>,
}

/// Hosts that no proxy is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Direct {
    All,
    Network(IpNet),
    /// The name itself and all below it.
    Domain(String),
}

/// A proxy variable that cannot be obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {why}; write http://HOST:PORT, or unset it")]
pub struct ProxyError {
    variable: String,
    why: String,
}

impl Proxies {
    /// What the environment asks for: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, each also in capitals
    /// but for `http_proxy`, which a web server may set for its scripts from a header of the request.
    ///
    /// # Errors
    /// A variable holds no URL, or one of a proxy that does not speak HTTP.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyError> {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| {
                let value = variable(name)?;
                (!value.trim().is_empty()).then(|| ((*name).to_owned(), value.trim().to_owned()))
            })
        };
        let proxy = |names: &[&str]| {
            first(names)
                .map(|(name, value)| Proxy::parse(&name, &value))
                .transpose()
        };
        let none = first(&["no_proxy", "NO_PROXY"]);
        Ok(Self {
            http: proxy(&["http_proxy", "all_proxy", "ALL_PROXY"])?,
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            direct: none.map_or_else(Vec::new, |(_, list)| {
                list.split([',', ' ']).filter_map(Direct::parse).collect()
            }),
        })
    }

    /// The proxy on the way to an origin, if there is one.
    pub(super) fn on_the_way(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.secure {
            self.https.as_ref()
        } else {
            self.http.as_ref()
        };
        proxy.filter(|_| !self.direct.iter().any(|direct| direct.covers(&origin.host)))
    }
}

impl Proxy {
    fn parse(variable: &str, value: &str) -> Result<Self, ProxyError> {
        let refuse = |why: String| {
            Err(ProxyError {
                variable: variable.to_owned(),
                why,
            })
        };
        let whole = match value.contains("://") {
            true => value.to_owned(),
            false => format!("http://{value}"),
        };
        // The value itself may hold a password and is not shown.
        let url = match Url::parse(&whole) {
            Ok(url) => url,
            Err(error) => return refuse(format!("names no proxy: {error}")),
        };
        if url.scheme() != "http" {
            return refuse(format!("names a proxy of the scheme {}", url.scheme()));
        }
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return refuse("names no host".to_owned());
        };
        Ok(Self {
            host: host.to_owned(),
            port,
            authorization: credentials(&url).map(Secret::new),
        })
    }

    /// Where the connection to it leads.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            secure: false,
            host: self.host.clone(),
            port: self.port,
        }
    }
}

impl Direct {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('.').to_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        match text.parse().ok().or_else(address) {
            Some(network) => Some(Self::Network(network)),
            None => Some(Self::Domain(text)),
        }
    }

    fn covers(&self, host: &Host<String>) -> bool {
        match (self, host) {
            (Self::All, _) => true,
            (Self::Network(network), Host::Ipv4(address)) => {
                network.contains(&IpAddr::from(*address))
            }
            (Self::Network(network), Host::Ipv6(address)) => {
                network.contains(&IpAddr::from(*address))
            }
            (Self::Domain(domain), Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name.strip_suffix(domain.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            _ => false,
        }
    }
}

/// The credentials of a URL as the value of a header, if it has any.
pub(super) fn credentials(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut pair: Vec<u8> = percent_decode_str(url.username()).collect();
    pair.push(b':');
    pair.extend(percent_decode_str(url.password().unwrap_or("")));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Result<Proxies, ProxyError> {
        Proxies::from_variables(|name| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn way(proxies: &Proxies, url: &str) -> Option<String> {
        let origin = Origin::of(&url.parse().unwrap()).unwrap();
        let proxy = proxies.on_the_way(&origin)?;
        Some(format!("{}:{}", proxy.host, proxy.port))
    }

    #[test]
    fn variables_are_obeyed_as_others_obey_them() {
        let some = proxies(&[
            ("http_proxy", "proxy:3128"),
            ("HTTP_PROXY", "http://from-a-header:1"),
            ("HTTPS_PROXY", "http://u:p@secure-proxy"),
            ("no_proxy", "localhost, .internal,10.0.0.0/8,::1"),
        ])
        .unwrap();
        for (url, through) in [
            ("http://a.test/", Some("proxy:3128")),
            ("https://a.test/", Some("secure-proxy:80")),
            ("http://localhost:80/", None),
            ("http://a.internal/", None),
            ("http://notinternal/", Some("proxy:3128")),
            ("http://10.1.2.3/", None),
            ("http://11.1.2.3/", Some("proxy:3128")),
            ("http://[::1]/", None),
        ] {
            assert_eq!(way(&some, url).as_deref(), through, "{url}");
        }
        assert!(!format!("{some:?}").contains("dTpw"), "{some:?}");
        let all = proxies(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", "*")]).unwrap();
        assert_eq!(way(&all, "http://a.test/"), None);
    }

    #[test]
    fn a_proxy_of_another_kind_is_refused_by_its_variable() {
        for value in ["socks5://host:1", "https://host:1", "http://"] {
            let error = proxies(&[("https_proxy", value)]).unwrap_err();
            assert!(
                error.to_string().starts_with("https_proxy names"),
                "{error}"
            );
        }
    }
}
