//! Whether a datagram's bytes are those that its sender sent, by the checksum that the sender put on them.

use std::net::{IpAddr, SocketAddr};

use super::merge::{Datagram, Transport};
use super::writer::sum_of;

/// What a datagram's UDP checksum says of its bytes (RFC 768; RFC 8200, 8.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Seal {
    /// Nothing: there is none, or not all of its bytes were captured.
    #[default]
    None,
    /// They are the bytes over which the sender reckoned it.
    Right,
    /// They are not: damaged after it had been reckoned, or it never was finished (captures on a sending host).
    Wrong,
}

impl Datagram<'_> {
    /// What its checksum says of its bytes. It looks at every byte: for the few of which it matters.
    pub fn seal(&self) -> Seal {
        let whole = self.payload.len() == self.wire_len as usize;
        let Ok(len) = u16::try_from(self.payload.len() + 8) else { return Seal::None };
        if self.checksum == 0 || !whole || self.transport != Transport::Udp {
            return Seal::None;
        }
        let addresses = [self.source, self.destination].map(|a: SocketAddr| a.ip()).into_iter();
        let pseudo = addresses.fold(17 + u32::from(len), |sum, address| match address {
            IpAddr::V4(a) => u32::from(sum_of(&a.octets(), sum)),
            IpAddr::V6(a) => u32::from(sum_of(&a.octets(), sum)),
        });
        let header = [self.source.port(), self.destination.port(), len, self.checksum];
        let sum = header.into_iter().fold(pseudo, |sum, word| sum + u32::from(word));
        match sum_of(self.payload, sum) {
            0xffff => Seal::Right,
            _ => Seal::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::super::writer::{CaptureWriter, spoil, udp_frame};
    use super::super::{Captures, Options};
    use super::*;

    /// What is read of a frame.
    fn of(frame: &[u8]) -> Seal {
        let mut writer = CaptureWriter::pcap(Vec::new()).unwrap();
        writer.write_frame(1, 0, frame).unwrap();
        let bytes: Box<dyn Read + Send> = Box::new(Cursor::new(writer.finish().unwrap()));
        let mut captures =
            Captures::from_readers(vec![("x".to_owned(), bytes)], &Options::default()).unwrap();
        captures.next().unwrap().unwrap().seal()
    }

    #[test]
    fn the_senders_checksum_tells_what_was_changed_since() {
        let [from, to] = ["10.0.0.1:40000", "233.54.12.111:26477"].map(|a| a.parse().unwrap());
        for payload in [&b"abc"[..], b"abcd", b"", &[0xff; 1400]] {
            let mut frame = Vec::new();
            udp_frame(&mut frame, from, to, payload).unwrap();
            assert_eq!(of(&frame), Seal::Right, "{payload:?}");
            let mut none = frame.clone();
            none[40..42].fill(0);
            assert_eq!(of(&none), Seal::None);
            let mut spoilt = frame.clone();
            spoil(&mut spoilt);
            assert_eq!(of(&spoilt), Seal::Wrong);
            if let Some(byte) = frame.get_mut(42).filter(|_| !payload.is_empty()) {
                *byte ^= 4;
                assert_eq!(of(&frame), Seal::Wrong);
            }
        }
    }
}
