//! How many descriptors this process may have: many connections need many.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are needed besides those of connections.
const OTHERS: u64 = 64;

/// Asks for as many descriptors as the machine lets this user have; a remark if these are too few.
pub(crate) fn raise(connections: u64) -> Option<String> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Then it stays as it is.
    let _raised = setrlimit(Resource::Nofile, raised);
    let most = getrlimit(Resource::Nofile).current?;
    (most < connections.saturating_add(OTHERS)).then(|| {
        let enough = match most.saturating_sub(OTHERS) {
            0 => "hardly any".to_owned(),
            enough => enough.to_string(),
        };
        format!("this user may have {most} descriptors, which is enough for {enough} connections (ulimit -Hn)")
    })
}
