//! An extract of captures: datagrams as they were read, written as a pcapng of their own.
//!
//! Frames are made anew around the payloads, with addresses that the caller gives: nothing of the machine that captured
//! them is kept but what judging needs, the names of live lines and what was lost beside them.

use std::io::{self, Write};
use std::net::SocketAddr;

use super::super::merge::Datagram;
use super::blocks::{self, Packet, Statistics, Total};

/// Interfaces of one extract at most.
const INTERFACES_MAX: usize = 1_024;

/// Writes one extract.
#[derive(Debug)]
pub struct Extract<W: Write> {
    output: W,
    buffer: Vec<u8>,
    interfaces: Vec<String>,
    host_drops: u64,
    latest_ns: u64,
    packets: u64,
}

impl<W: Write> Extract<W> {
    /// Begins one; `product` is the program's name in it.
    ///
    /// # Errors
    /// What the output says.
    pub fn new(mut output: W, product: &str) -> io::Result<Self> {
        let mut buffer = Vec::new();
        blocks::section(&mut buffer, product);
        output.write_all(&buffer)?;
        Ok(Extract { output, buffer, interfaces: Vec::new(), host_drops: 0, latest_ns: 0, packets: 0 })
    }

    /// Packets so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Adds a datagram, on an interface of that name, as sent from `source` to `destination`.
    ///
    /// # Errors
    /// What the output says; `InvalidInput` beyond 1,024 interfaces.
    pub fn add(
        &mut self,
        datagram: &Datagram<'_>,
        interface: &str,
        [source, destination]: [SocketAddr; 2],
    ) -> io::Result<()> {
        self.buffer.clear();
        let line = self.interface(interface)?;
        if datagram.lost.host > 0 {
            self.host_drops += u64::from(datagram.lost.host);
            let (ts_ns, host_drops) = (datagram.ts_recv_ns, self.host_drops);
            blocks::statistics(
                &mut self.buffer,
                &Statistics { line, ts_ns, from_ns: None, host_drops, total: None },
            );
        }
        let packet = Packet {
            line,
            ts_ns: datagram.ts_recv_ns,
            source,
            destination,
            payload: [datagram.payload, &[]],
            wire_len: datagram.wire_len,
            seal: datagram.seal(),
            identification: datagram.identification,
            dropped: datagram.lost.socket,
            missing: 0,
        };
        blocks::packet(&mut self.buffer, &packet);
        self.latest_ns = self.latest_ns.max(datagram.ts_recv_ns);
        self.packets += 1;
        self.output.write_all(&self.buffer)
    }

    fn interface(&mut self, name: &str) -> io::Result<u16> {
        if let Some(at) = self.interfaces.iter().position(|n| n == name) {
            return Ok(at as u16);
        }
        if self.interfaces.len() == INTERFACES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "more than 1024 interfaces"));
        }
        blocks::interface(&mut self.buffer, name);
        self.interfaces.push(name.to_owned());
        Ok((self.interfaces.len() - 1) as u16)
    }

    /// Ends it; `watched_until_ns` says up to when the lines were watched, where somebody said it.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self, watched_until_ns: Option<u64>) -> io::Result<W> {
        self.buffer.clear();
        if let Some(ended_ns) = watched_until_ns.filter(|_| !self.interfaces.is_empty()) {
            let total = Total { started_ns: 0, ended_ns: Some(ended_ns), kept: self.packets, missing: 0 };
            let (ts_ns, host_drops) = (self.latest_ns, self.host_drops);
            let statistics = Statistics { line: 0, ts_ns, from_ns: None, host_drops, total: Some(total) };
            blocks::statistics(&mut self.buffer, &statistics);
        }
        self.output.write_all(&self.buffer)?;
        self.output.flush()?;
        Ok(self.output)
    }
}
