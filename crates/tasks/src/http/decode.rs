//! Bodies on their way in: counted as they come, decoded piece by piece, and never more of them than the policy allows.

use std::io::{self, Write};

use flate2::write::{MultiGzDecoder, ZlibDecoder};
use hyper::header::{CONTENT_ENCODING, HeaderMap};
use triway_core::Failure;
use zstd::{
    stream::{raw, zio},
    zstd_safe::DParameter,
};

use super::kinds;

/// How much longer a body may be as it is transferred than decoded. What is compressed may grow by that, but a stream of
/// nothing could go on for ever.
const OVERHEAD_BYTES: u64 = 64 << 10;

/// The encodings that are decoded.
const KNOWN: [&str; 7] = ["", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"];

/// A body that is being received.
pub(super) struct Incoming {
    /// Bytes as they were transferred.
    pub(super) received: u64,
    decoder: Decoder,
}

/// What has been decoded so far.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) bytes: u64,
    limit: u64,
    /// The bytes themselves, for whoever wants to look into them.
    kept: Option<Vec<u8>>,
}

enum Decoder {
    Identity(Decoded),
    Gzip(MultiGzDecoder<Decoded>),
    Deflate(ZlibDecoder<Decoded>),
    Brotli(Box<brotli_decompressor::DecompressorWriter<Decoded>>),
    Zstd(Box<zio::Writer<Decoded, raw::Decoder<'static>>>),
    /// In an encoding that nobody here knows: counted as it came.
    Unknown(Decoded),
}

impl Incoming {
    /// A body whose head has arrived; it may have so many bytes once decoded, which are kept if `keep`.
    pub(super) fn new(headers: &HeaderMap, limit: u64, keep: bool) -> Result<Self, Failure> {
        let decoded = Decoded {
            bytes: 0,
            limit,
            kept: keep.then(Vec::new),
        };
        let decoder = Decoder::new(&encoding(headers), decoded)
            .map_err(|error| kinds::undecodable(&error))?;
        Ok(Self {
            received: 0,
            decoder,
        })
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), Failure> {
        self.received += piece.len() as u64;
        let limit = self.decoder.decoded().limit;
        if self.received > limit.saturating_add(OVERHEAD_BYTES) {
            return Err(kinds::too_large(limit));
        }
        self.decoder
            .writer()
            .write_all(piece)
            .map_err(|error| told(&error, limit))
    }

    /// The body has come to its end: how many bytes it had decoded, and what was kept of them.
    pub(super) fn finish(self) -> Result<(u64, Option<Vec<u8>>), Failure> {
        let Decoded { bytes, limit, kept } = match self.received {
            // Answers without a body may name an encoding all the same.
            0 => self.decoder.abandon(),
            _ => {
                let limit = self.decoder.decoded().limit;
                let finished = self.decoder.finish();
                finished.map_err(|error| told(&error, limit))?
            }
        };
        if bytes > limit {
            return Err(kinds::too_large(limit));
        }
        Ok((bytes, kept))
    }
}

fn told(error: &io::Error, limit: u64) -> Failure {
    match error.kind() {
        io::ErrorKind::FileTooLarge => kinds::too_large(limit),
        _ => kinds::undecodable(error),
    }
}

impl Decoder {
    fn new(encoding: &str, decoded: Decoded) -> io::Result<Self> {
        Ok(match encoding {
            "" | "identity" => Self::Identity(decoded),
            "gzip" | "x-gzip" => Self::Gzip(MultiGzDecoder::new(decoded)),
            "deflate" => Self::Deflate(ZlibDecoder::new(decoded)),
            "br" => Self::Brotli(Box::new(brotli_decompressor::DecompressorWriter::new(
                decoded, 4096,
            ))),
            "zstd" => {
                let mut decoder = raw::Decoder::new()?;
                // RFC 8878 lets a receiver refuse larger windows; without a bound, one frame could ask for gigabytes.
                decoder.set_parameter(DParameter::WindowLogMax(23))?;
                Self::Zstd(Box::new(zio::Writer::new(decoded, decoder)))
            }
            _ => Self::Unknown(decoded),
        })
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Identity(to) | Self::Unknown(to) => to,
            Self::Gzip(to) => to,
            Self::Deflate(to) => to,
            Self::Brotli(to) => to,
            Self::Zstd(to) => to,
        }
    }

    fn decoded(&self) -> &Decoded {
        match self {
            Self::Identity(to) | Self::Unknown(to) => to,
            Self::Gzip(to) => to.get_ref(),
            Self::Deflate(to) => to.get_ref(),
            Self::Brotli(to) => to.get_ref(),
            Self::Zstd(to) => to.writer(),
        }
    }

    fn finish(self) -> io::Result<Decoded> {
        match self {
            Self::Identity(to) | Self::Unknown(to) => Ok(to),
            Self::Gzip(to) => to.finish(),
            Self::Deflate(to) => to.finish(),
            Self::Brotli(mut to) => {
                to.close()?;
                to.into_inner()
                    .map_err(|_| io::ErrorKind::UnexpectedEof.into())
            }
            Self::Zstd(mut to) => {
                to.finish()?;
                Ok(to.into_inner().0)
            }
        }
    }

    /// What was decoded, whether the encoding is complete or not.
    fn abandon(self) -> Decoded {
        let decoded = self.decoded();
        Decoded {
            bytes: decoded.bytes,
            limit: decoded.limit,
            kept: decoded.kept.clone(),
        }
    }
}

impl Write for Decoded {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len() as u64;
        if self.bytes > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(piece);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a body is encoded that is not decoded here.
pub(crate) fn unknown_encoding(headers: &HeaderMap) -> Option<String> {
    let encoding = encoding(headers);
    (!KNOWN.contains(&&*encoding)).then_some(encoding)
}

/// How a body is encoded: nothing, one encoding, or several that nobody here takes apart.
fn encoding(headers: &HeaderMap) -> String {
    let values: Vec<_> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(",").trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use hyper::header::HeaderValue;

    use super::*;

    fn receive(encoding: &'static str, body: &[u8], limit: u64) -> Result<Vec<u8>, Failure> {
        let headers =
            HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
        let mut incoming = Incoming::new(&headers, limit, true)?;
        for piece in body.chunks(7) {
            incoming.push(piece)?;
        }
        assert_eq!(incoming.received, body.len() as u64);
        let (bytes, kept) = incoming.finish()?;
        let kept = kept.unwrap();
        assert_eq!(bytes, kept.len() as u64);
        Ok(kept)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_encoding_is_decoded() {
        let text = b"some text, some text, some more text".repeat(20);
        let zlib = {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&text).unwrap();
            encoder.finish().unwrap()
        };
        for (encoding, body) in [
            ("identity", text.clone()),
            ("gzip", gzip(&text)),
            ("GZip", gzip(&text)),
            ("deflate", zlib),
            ("zstd", zstd::encode_all(&text[..], 3).unwrap()),
            ("rot13", text.clone()),
        ] {
            assert_eq!(
                receive(encoding, &body, 1 << 20).unwrap(),
                text,
                "{encoding}"
            );
        }
        // "text" as brotli's own encoder writes it: one uncompressed block.
        assert_eq!(
            receive("br", b"\x8b\x01\x80text\x03", 100).unwrap(),
            b"text"
        );
    }

    #[test]
    fn what_is_not_decoded_is_told_from_what_is() {
        for (encoding, known) in [
            ("", true),
            ("identity", true),
            (" GZip ", true),
            ("x-gzip", true),
            ("deflate", true),
            ("br", true),
            ("zstd", true),
            ("gzip, br", false),
            ("compress", false),
        ] {
            let headers =
                HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
            assert_eq!(unknown_encoding(&headers).is_none(), known, "{encoding}");
            let decoder = Incoming::new(&headers, 1, false).unwrap().decoder;
            assert_eq!(!matches!(decoder, Decoder::Unknown(_)), known, "{encoding}");
        }
    }

    #[test]
    fn a_bomb_ends_where_the_limit_is() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        let failure = receive("gzip", &bomb, 1 << 20).unwrap_err();
        assert_eq!(failure.kind, kinds::TOO_LARGE);
        let bomb = zstd::encode_all(&vec![0; 10 << 20][..], 3).unwrap();
        let failure = receive("zstd", &bomb, 1 << 20).unwrap_err();
        assert_eq!(failure.kind, kinds::TOO_LARGE);
    }

    #[test]
    fn what_is_cut_or_damaged_is_told() {
        let whole = gzip(b"some text that is long enough to be cut");
        for (encoding, body) in [
            ("gzip", &whole[..whole.len() - 9]),
            ("gzip", b"no gzip at all"),
            ("br", b"\xff\xff\xff\xff\xff\xff"),
            ("zstd", b"no zstd at all"),
            ("zstd", &zstd::encode_all(&b"text"[..], 3).unwrap()[..10]),
        ] {
            let failure = receive(encoding, body, 1 << 20).unwrap_err();
            assert_eq!(failure.kind, kinds::PROTOCOL, "{encoding}: {failure}");
        }
        assert_eq!(receive("gzip", b"", 100).unwrap(), b"");
    }
}
