//! Calls that only the C library offers: what a process, its reaped children and its running ones have used so far.

#![expect(
    unsafe_code,
    reason = "getrusage and the clocks of processes have no safe form in rustix or std"
)]

use std::{io, mem::MaybeUninit, time::Duration};

/// Processor time and context switches since a process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// Processor time, user and system.
    pub(crate) cpu: Duration,
    /// Switches because a thread waited.
    pub(crate) voluntary: u64,
    /// Switches because a thread's time was up.
    pub(crate) involuntary: u64,
}

/// What this process has used, all its threads together.
pub(crate) fn of_self() -> io::Result<Usage> {
    usage(libc::RUSAGE_SELF)
}

/// What the children that were waited for have used; those that still run do not count yet.
pub(crate) fn of_children() -> io::Result<Usage> {
    usage(libc::RUSAGE_CHILDREN)
}

/// Processor time of a process that runs, all its threads together.
pub(crate) fn of_running(process: u32) -> io::Result<Duration> {
    let process = libc::pid_t::try_from(process).map_err(io::Error::other)?;
    let mut clock = MaybeUninit::<libc::clockid_t>::uninit();
    // SAFETY: the pointer is to a writable `clockid_t`, which the call fills and does not keep.
    let error = unsafe { libc::clock_getcpuclockid(process, clock.as_mut_ptr()) };
    if error != 0 {
        return Err(io::Error::from_raw_os_error(error));
    }
    // SAFETY: the call returned 0, so it has filled it.
    let clock = unsafe { clock.assume_init() };
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the pointer is to a whole, writable `timespec`, which the call fills and does not keep.
    if unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned 0, so it has filled every field.
    let time = unsafe { time.assume_init() };
    let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or(0));
    Ok(seconds + Duration::from_nanos(time.tv_nsec.try_into().unwrap_or(0)))
}

fn usage(who: libc::c_int) -> io::Result<Usage> {
    let mut raw = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is to a whole, writable `rusage`, which the call fills and does not keep.
    if unsafe { libc::getrusage(who, raw.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned 0, so it has filled every field.
    let raw = unsafe { raw.assume_init() };
    Ok(Usage {
        cpu: duration(raw.ru_utime) + duration(raw.ru_stime),
        voluntary: raw.ru_nvcsw.try_into().unwrap_or(0),
        involuntary: raw.ru_nivcsw.try_into().unwrap_or(0),
    })
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or(0));
    seconds + Duration::from_micros(time.tv_usec.try_into().unwrap_or(0))
}
