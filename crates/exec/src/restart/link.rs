//! Frames over a private socket between a process and one that it started again.
//!
//! A frame is its length (4 bytes, little endian), its kind and its number of descriptors (1 byte each) and its payload.
//! Its descriptors travel with its first byte.
//! A frame over the limit, or a stream that ends inside one, is an error: whoever sent it is no longer trusted.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
    },
};

/// The largest payload of a frame.
pub const MAX_FRAME_BYTES: usize = 1 << 30;
const HEADER_BYTES: usize = 6;
const CHUNK_BYTES: usize = 64 << 10;
/// About what the system's sockets hold.
const SOCKET_BYTES: usize = 256 << 10;
/// A buffer that had to hold a larger frame is given back.
const KEPT_BYTES: usize = 1 << 20;
/// So many descriptors may travel with one frame.
pub const MAX_DESCRIPTORS: usize = 8;

/// One end of the socket.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    /// Readable when the child has ended, even if something it left behind still holds the socket open.
    child: Option<OwnedFd>,
    /// Room for what comes; bytes from `taken` to `filled` have come and were not taken yet.
    received: Vec<u8>,
    taken: usize,
    filled: usize,
    /// Whether the last read left nothing in the socket, as far as one can tell.
    drained: bool,
    descriptors: VecDeque<OwnedFd>,
    outgoing: VecDeque<Outgoing>,
}

/// A frame that is on its way out, or waits for those before it.
#[derive(Debug)]
struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
    descriptors: Vec<OwnedFd>,
}

/// What came in one piece.
#[derive(Debug)]
#[non_exhaustive]
pub struct Frame {
    /// What it is; the protocol on top decides the numbers.
    pub kind: u8,
    /// The rest of it.
    pub payload: Vec<u8>,
    /// Descriptors that came with it.
    pub descriptors: Vec<OwnedFd>,
}

/// What ended a wait, besides something that came or could go.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Woken {
    pub(crate) bell: bool,
    /// The child has ended.
    pub(crate) ended: bool,
}

/// Why a frame could not be sent or received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The system said no.
    #[error("the socket to the other process failed: {0}")]
    Io(#[from] io::Error),
    /// The deadline passed first.
    #[error("the other process did not answer in time")]
    TimedOut,
    /// The other end is gone.
    #[error("the other process closed its end")]
    Closed,
    /// The other end sent what it should not.
    #[error("the other process broke the protocol: {0}")]
    Broken(String),
}

impl LinkError {
    pub(super) fn unknown(role: &str, name: &str) -> Self {
        Self::Broken(format!(
            "asked for role `{role}` of task `{name}`, which is not registered"
        ))
    }

    fn of(errno: Errno) -> Self {
        match errno {
            Errno::PIPE | Errno::CONNRESET => Self::Closed,
            other => Self::Io(other.into()),
        }
    }

    /// A frame that does not parse.
    pub fn broken(reason: impl std::fmt::Display) -> Self {
        Self::Broken(reason.to_string())
    }
}

impl Link {
    /// A link over a socket that leads to another process already.
    #[must_use]
    pub fn over(socket: OwnedFd) -> Self {
        Self::to_parent(socket)
    }

    pub(super) fn to_child(socket: OwnedFd, pidfd: OwnedFd) -> Self {
        Self {
            child: Some(pidfd),
            ..Self::to_parent(socket)
        }
    }

    pub(crate) fn to_parent(socket: OwnedFd) -> Self {
        Self {
            socket,
            child: None,
            received: Vec::new(),
            taken: 0,
            filled: 0,
            drained: false,
            descriptors: VecDeque::new(),
            outgoing: VecDeque::new(),
        }
    }

    /// Sends one frame. Blocks while the other end does not read, until the deadline, if there is one; after that only
    /// part of the frame may have been sent, and the link is of no use any more.
    ///
    /// # Errors
    /// The other end is gone, the deadline passed, or the payload is over [`MAX_FRAME_BYTES`].
    pub fn send(
        &mut self,
        kind: u8,
        payload: &[u8],
        descriptors: &[BorrowedFd<'_>],
        deadline: Option<Instant>,
    ) -> Result<(), LinkError> {
        let header = header(kind, payload.len(), descriptors.len())?;
        let both = [IoSlice::new(&header), IoSlice::new(payload)];
        let sent = self.send_with(&both, descriptors, deadline)?;
        let whole = [header.as_slice(), payload];
        self.send_rest(whole, sent, deadline)
    }

    /// Receives one frame; `None` at the end of the stream. Blocks until the deadline, if there is one.
    ///
    /// # Errors
    /// See [`LinkError`].
    pub fn recv(&mut self, deadline: Option<Instant>) -> Result<Option<Frame>, LinkError> {
        self.drained = false;
        loop {
            if let Some(frame) = self.next_frame()? {
                self.drained = false;
                return Ok(Some(frame));
            }
            // Where nothing but this socket matters, the read itself can wait.
            let flags = match deadline.is_none() && self.child.is_none() {
                true => RecvFlags::empty(),
                false => {
                    self.wait_for(PollFlags::IN, deadline)?;
                    RecvFlags::DONTWAIT
                }
            };
            if self.receive(flags)? == Some(0) {
                if self.filled > self.taken {
                    return Err(LinkError::broken("the stream ended inside a frame"));
                }
                return Ok(None);
            }
        }
    }

    /// Puts a frame behind those that wait to be sent; [`Link::push`] sends them. Its payload begins after the room that
    /// [`Link::begin_frame`] left. Does not block.
    ///
    /// # Errors
    /// The payload is over [`MAX_FRAME_BYTES`], or there are too many descriptors.
    pub(crate) fn queue(
        &mut self,
        kind: u8,
        mut bytes: Vec<u8>,
        descriptors: Vec<OwnedFd>,
    ) -> Result<(), LinkError> {
        let header = header(kind, bytes.len() - HEADER_BYTES, descriptors.len())?;
        bytes[..HEADER_BYTES].copy_from_slice(&header);
        self.outgoing.push_back(Outgoing {
            bytes,
            sent: 0,
            descriptors,
        });
        Ok(())
    }

    /// Bytes for [`Link::queue`] to which a payload can be appended.
    pub(crate) fn begin_frame() -> Vec<u8> {
        vec![0; HEADER_BYTES]
    }

    /// Sends as much of what waits as the socket takes. Does not block.
    ///
    /// # Errors
    /// The other end is gone.
    pub(crate) fn push(&mut self) -> Result<(), LinkError> {
        while let Some(frame) = self.outgoing.front_mut() {
            let descriptors: Vec<_> = match frame.sent {
                0 => frame.descriptors.iter().map(AsFd::as_fd).collect(),
                _ => Vec::new(),
            };
            let rest = [IoSlice::new(&frame.bytes[frame.sent..])];
            match send_once(&self.socket, &rest, &descriptors) {
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(LinkError::of(errno)),
                Ok(count) => frame.sent += count,
            }
            if frame.sent == frame.bytes.len() {
                self.outgoing.pop_front();
            }
        }
        Ok(())
    }

    /// What has come of the other end so far. Does not block. After `None` wait before the next call: what the socket
    /// got meanwhile may be found only then.
    ///
    /// # Errors
    /// See [`LinkError`]; [`LinkError::Closed`] is the end of the stream.
    pub(crate) fn try_recv(&mut self) -> Result<Option<Frame>, LinkError> {
        loop {
            if let Some(frame) = self.next_frame()? {
                return Ok(Some(frame));
            }
            if std::mem::take(&mut self.drained) {
                return Ok(None);
            }
            match self.receive(RecvFlags::DONTWAIT)? {
                None => return Ok(None),
                Some(0) => return Err(LinkError::Closed),
                Some(_) => {}
            }
        }
    }

    /// Waits until the other end has sent something or has ended, or takes more of what waits to be sent, or `bell`
    /// rings; until the deadline at most.
    pub(crate) fn wait(&self, bell: impl AsFd, patience: Option<Duration>) -> Woken {
        let mut wanted = PollFlags::IN;
        if !self.outgoing.is_empty() {
            wanted |= PollFlags::OUT;
        }
        let child = self.child.as_ref().unwrap_or(&self.socket);
        let mut watched = [
            PollFd::new(&self.socket, wanted),
            PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN),
            PollFd::new(child, PollFlags::IN),
        ];
        if poll(&mut watched, patience.map(timespec).as_ref()).is_err() {
            return Woken::default();
        }
        let [_, bell, child] = watched.map(|one| !one.revents().is_empty());
        Woken {
            bell,
            ended: child && self.child.is_some(),
        }
    }

    /// A second handle to the same socket, to send while another thread receives.
    pub(crate) fn second(&self) -> io::Result<Self> {
        Ok(Self::to_parent(self.socket.try_clone()?))
    }

    /// Whether the child that this link leads to ends within `patience`. Blocks for so long at most.
    pub(crate) fn peer_ended(&self, patience: Duration) -> bool {
        let Some(child) = &self.child else {
            return false;
        };
        let mut watched = [PollFd::new(child, PollFlags::IN)];
        poll(&mut watched, Some(&timespec(patience))).is_ok_and(|ready| ready > 0)
    }

    fn send_with(
        &self,
        parts: &[IoSlice<'_>],
        descriptors: &[BorrowedFd<'_>],
        deadline: Option<Instant>,
    ) -> Result<usize, LinkError> {
        loop {
            match send_once(&self.socket, parts, descriptors) {
                Err(Errno::AGAIN) => self.wait_for(PollFlags::OUT, deadline)?,
                sent => return sent.map_err(LinkError::of),
            }
        }
    }

    fn send_rest(
        &self,
        whole: [&[u8]; 2],
        mut sent: usize,
        deadline: Option<Instant>,
    ) -> Result<(), LinkError> {
        for part in whole {
            let mut rest = part.get(sent..).unwrap_or(&[]);
            sent = sent.saturating_sub(part.len());
            while !rest.is_empty() {
                let count = self.send_with(&[IoSlice::new(rest)], &[], deadline)?;
                rest = &rest[count..];
            }
        }
        Ok(())
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, LinkError> {
        let pending = &self.received[self.taken..self.filled];
        let Some((header, rest)) = pending.split_first_chunk::<HEADER_BYTES>() else {
            return Ok(None);
        };
        let [a, b, c, d, kind, descriptors] = *header;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > MAX_FRAME_BYTES {
            return Err(LinkError::broken(format!(
                "a frame of {length} bytes is too large"
            )));
        }
        let Some(payload) = rest.get(..length) else {
            return Ok(None);
        };
        let payload = payload.to_vec();
        let descriptors = usize::from(descriptors);
        if descriptors > self.descriptors.len() {
            return Err(LinkError::broken(
                "a descriptor did not come with its frame",
            ));
        }
        self.taken += HEADER_BYTES + length;
        if self.taken == self.filled {
            self.taken = 0;
            self.filled = 0;
            if self.received.len() > KEPT_BYTES {
                self.received = Vec::new();
            }
        }
        Ok(Some(Frame {
            kind,
            payload,
            descriptors: self.descriptors.drain(..descriptors).collect(),
        }))
    }

    /// Waits until the socket can be read or written.
    fn wait_for(&self, what: PollFlags, deadline: Option<Instant>) -> Result<(), LinkError> {
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let mut watched = vec![PollFd::new(&self.socket, what)];
            if let Some(child) = &self.child {
                watched.push(PollFd::new(child, PollFlags::IN));
            }
            match poll(&mut watched, left.map(timespec).as_ref()) {
                Err(Errno::INTR) => {}
                Err(errno) => return Err(LinkError::of(errno)),
                Ok(0) => return Err(LinkError::TimedOut),
                // What the child sent before it died is read first.
                Ok(_) if !watched[0].revents().is_empty() => return Ok(()),
                Ok(_) => return Err(LinkError::Closed),
            }
        }
    }

    /// Reads what is there; `None` if nothing is.
    fn receive(&mut self, flags: RecvFlags) -> Result<Option<usize>, LinkError> {
        self.make_room();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let room = &mut self.received[self.filled..];
            let mut into = [IoSliceMut::new(room)];
            let flags = RecvFlags::CMSG_CLOEXEC | flags;
            match recvmsg(&self.socket, &mut into, &mut control, flags) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break Ok(None),
                Err(Errno::CONNRESET) => break Ok(Some(0)),
                Err(errno) => break Err(LinkError::of(errno)),
                Ok(message) => break Ok(Some(message.bytes)),
            }
        };
        let count = received.as_ref().ok().copied().flatten().unwrap_or(0);
        self.filled += count;
        let mut any = false;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
                any = true;
            }
        }
        // A read ends early at descriptors as well.
        self.drained = !any && self.filled < self.received.len();
        received
    }

    fn make_room(&mut self) {
        if self.taken > 0 {
            self.received.copy_within(self.taken..self.filled, 0);
            self.filled -= self.taken;
            self.taken = 0;
        }
        if self.received.len() < self.filled + CHUNK_BYTES / 2 {
            let room = self.room();
            self.received.resize(self.filled + room, 0);
        }
    }

    /// How much room to make for what comes next: no more than has been vouched for by its sender having filled what
    /// was read before, and no more than a socket gives at once, because new room is zeroed.
    fn room(&self) -> usize {
        self.filled.clamp(CHUNK_BYTES, SOCKET_BYTES)
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn header(kind: u8, length: usize, descriptors: usize) -> Result<[u8; HEADER_BYTES], LinkError> {
    let fitting = u32::try_from(length)
        .ok()
        .filter(|_| length <= MAX_FRAME_BYTES);
    let [a, b, c, d] = fitting
        .ok_or_else(|| LinkError::broken(format!("a frame of {length} bytes is too large")))?
        .to_le_bytes();
    let descriptors = u8::try_from(descriptors)
        .ok()
        .filter(|&count| usize::from(count) <= MAX_DESCRIPTORS)
        .ok_or_else(|| LinkError::broken("too many descriptors for one frame"))?;
    Ok([a, b, c, d, kind, descriptors])
}

/// Sends as much as the socket takes now; descriptors go with the first byte.
fn send_once(
    socket: &OwnedFd,
    parts: &[IoSlice<'_>],
    descriptors: &[BorrowedFd<'_>],
) -> Result<usize, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    // A call that waits in the kernel could not be ended by a deadline, so whoever must wait does it elsewhere.
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    loop {
        match sendmsg(socket, parts, &mut control, flags) {
            Err(Errno::INTR) => {}
            sent => return sent,
        }
    }
}

fn timespec(left: Duration) -> Timespec {
    // Rounded up by the kernel; a deadline that far away is never reached anyway.
    Timespec {
        tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(left.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    fn pair() -> (Link, Link) {
        let kind = SocketType::STREAM;
        let (a, b) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
        (Link::to_parent(a), Link::to_parent(b))
    }

    #[test]
    fn frames_arrive_whole_and_in_order() {
        let (mut a, mut b) = pair();
        let large = vec![7u8; 5 << 20];
        let sender = std::thread::spawn(move || {
            let null = std::fs::File::open("/dev/null").unwrap();
            a.send(1, b"one", &[null.as_fd()], None).unwrap();
            a.send(2, &[], &[], None).unwrap();
            a.send(3, &large, &[], None).unwrap();
        });
        let one = b.recv(None).unwrap().unwrap();
        assert_eq!((one.kind, one.payload.as_slice()), (1, b"one".as_slice()));
        assert_eq!(one.descriptors.len(), 1);
        assert_eq!(b.recv(None).unwrap().unwrap().kind, 2);
        let three = b.recv(None).unwrap().unwrap();
        assert_eq!((three.kind, three.payload.len()), (3, 5 << 20));
        assert!(three.payload.iter().all(|&byte| byte == 7));
        assert!(b.recv(None).unwrap().is_none());
        sender.join().unwrap();
    }

    #[test]
    fn a_deadline_and_a_torn_frame_are_told_apart() {
        let (a, mut b) = pair();
        let soon = Instant::now() + Duration::from_millis(20);
        assert!(matches!(b.recv(Some(soon)), Err(LinkError::TimedOut)));
        a.send_rest([&[9, 0, 0, 0, 1, 0], b"torn"], 0, None)
            .unwrap();
        drop(a);
        assert!(matches!(b.recv(None), Err(LinkError::Broken(_))));
    }

    #[test]
    fn nobody_waits_for_a_reader_beyond_the_deadline() {
        let (mut a, _unread) = pair();
        let began = Instant::now();
        let soon = Some(began + Duration::from_millis(20));
        let sent = a.send(1, &vec![0; 16 << 20], &[], soon);
        assert!(matches!(sent, Err(LinkError::TimedOut)), "{sent:?}");
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_memory_is_taken() {
        let (a, mut b) = pair();
        a.send_rest([&[255, 255, 255, 255, 1, 0], &[]], 0, None)
            .unwrap();
        assert!(matches!(b.recv(None), Err(LinkError::Broken(_))));
        assert!(b.received.capacity() < 1 << 20);
    }
}
