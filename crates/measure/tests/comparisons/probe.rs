//! One task that can do all that a comparison must cope with; which of it, its configuration says.

use std::{
    process,
    thread::sleep,
    time::{Duration, SystemTime},
};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use triway_core::{Context, Failure, FailureKind, Forms, Task};
use triway_measure::{Arm, Compare, arms, report::ArmReport, report::Comparison};

/// What the probe does with its input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Probe {
    /// Waits for so many milliseconds, without blocking where it is async; gives its input back.
    Wait(u64),
    /// Waits, and has no async form.
    WaitBlocking(u64),
    /// Uses so many milliseconds of processor time.
    Spin(u64),
    /// Holds so many bytes.
    Hold(usize),
    /// Gives something else where it is async, for inputs from 3 on.
    OtherWhenAsync,
    /// Fails inputs from 3 on where it is async.
    FailsWhenAsync,
    /// Gives the time.
    Clock,
    /// Gives the time, but says that all times are alike.
    ClockWithDigest,
    /// Always fails.
    Fails,
    /// Takes its process with it where it is async.
    DiesWhenAsync,
    /// Never returns where it is async.
    HangsWhenAsync,
}

impl Task for Probe {
    type Input = u64;
    type Output = u64;
    type Lane = ();

    fn forms(&self) -> Forms {
        match self {
            Self::WaitBlocking(_) => Forms::Blocking,
            _ => Forms::Both,
        }
    }

    fn run_blocking(&self, (): &mut (), input: &u64, _: &Context<'_>) -> Result<u64, Failure> {
        match self {
            Self::Wait(ms) | Self::WaitBlocking(ms) => sleep(Duration::from_millis(*ms)),
            Self::Spin(ms) => spin(Duration::from_millis(*ms)),
            Self::Hold(bytes) => drop(std::hint::black_box(vec![1_u8; *bytes])),
            Self::Clock | Self::ClockWithDigest => return Ok(now()),
            Self::Fails => return Err(refused()),
            _ => {}
        }
        Ok(*input)
    }

    async fn run_async(
        &self,
        lane: &mut (),
        input: &u64,
        context: &Context<'_>,
    ) -> Result<u64, Failure> {
        match self {
            Self::Wait(ms) => tokio::time::sleep(Duration::from_millis(*ms)).await,
            Self::OtherWhenAsync if *input >= 3 => return Ok(*input + 1),
            Self::FailsWhenAsync if *input >= 3 => return Err(refused()),
            Self::DiesWhenAsync => process::abort(),
            Self::HangsWhenAsync => std::future::pending().await,
            _ => return self.run_blocking(lane, input, context),
        }
        Ok(*input)
    }

    fn digest(&self, _: &u64) -> Option<u64> {
        (*self == Self::ClockWithDigest).then_some(0)
    }
}

/// A comparison of this probe on the inputs 0, 1, …, in three rounds, so that the tests are quick.
pub(crate) fn compare(probe: Probe, inputs: u64, list: &str) -> Compare<Probe> {
    Compare::new(probe, 0..inputs).arms(read(list)).rounds(3)
}

/// Runs [`compare`] silently.
pub(crate) fn report(probe: Probe, inputs: u64, list: &str) -> Comparison {
    compare(probe, inputs, list).run(|_| {}).unwrap()
}

pub(crate) fn arm<'a>(comparison: &'a Comparison, id: &str) -> &'a ArmReport {
    let mut arms = comparison.models.iter();
    arms.find(|arm| arm.id == id)
        .unwrap_or_else(|| panic!("no arm {id}: {comparison:#?}"))
}

/// Arms, four lanes wide where nothing else is said.
fn read(list: &str) -> Vec<Arm> {
    arms::parse(list, 4.try_into().unwrap()).unwrap()
}

fn refused() -> Failure {
    Failure::new(FailureKind::new("refused"), "nobody there")
}

fn spin(time: Duration) {
    let used = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let start = used();
    while used() - start < time {
        std::hint::spin_loop();
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap().as_nanos()).unwrap()
}
