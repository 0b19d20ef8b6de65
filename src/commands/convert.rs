//! Copies frames from one file format into another: the same frames, bytes and times.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Error;
use super::hextext;
use super::input::Source;
use super::progress::Progress;
use super::session::Session;
use crate::link::capture::{CaptureWriter, InterfaceInfo};
use crate::wire::link_type;

/// Arguments of `convert`.
#[derive(Clone, Debug, Args)]
pub struct ConvertArgs {
    /// What to read: a capture (pcap, pcapng, snoop), hex text, or - for standard input; FILE#N picks a frame
    #[arg(value_name = "IN[#N]", value_parser = Source::parse)]
    from: Source,
    /// What to write: FILE.pcap, FILE.pcapng, FILE.hex (a hex stream per line), or - for hex on standard output
    #[arg(value_name = "OUT")]
    to: PathBuf,
    /// Copy only frames for which this expression over `pkt` holds
    #[arg(long = "where", value_name = "EXPR")]
    pub condition: Option<String>,
    /// Keep notices off standard error
    #[arg(long)]
    pub quiet: bool,
}

/// What was converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// Frames written.
    pub frames: u64,
    /// Where to.
    pub to: PathBuf,
    /// Whether the user broke it off.
    pub interrupted: bool,
}

enum Output {
    Capture(Box<CaptureWriter>),
    Hex(Box<dyn Write>, PathBuf),
}

impl ConvertArgs {
    /// Whether the frames go to standard output.
    pub fn to_stdout(&self) -> bool {
        self.to.as_os_str() == "-"
    }

    fn hex_error(&self, path: &Path, error: std::io::Error) -> Error {
        match self.to_stdout() {
            true => Error::Output(error),
            false => Error::file(path, error),
        }
    }

    fn finish(&self, output: &mut Output, interfaces: &[InterfaceInfo]) -> Result<(), Error> {
        match output {
            Output::Capture(writer) => {
                writer.declare_unused(interfaces)?;
                Ok(writer.finish()?)
            }
            Output::Hex(out, path) => out.flush().map_err(|it| self.hex_error(path, it)),
        }
    }

    /// Copies frame by frame.
    pub fn run(&self, session: &mut Session) -> Result<Converted, Error> {
        if Path::new(&self.from.name)
            .canonicalize()
            .ok()
            .is_some_and(|from| Some(from) == self.to.canonicalize().ok())
        {
            return Err(Error::file(
                &self.to,
                "is the input; converting onto itself would lose it",
            ));
        }
        let mut input = self.from.open_until(session.interruption())?;
        // The first packet is read before the output is made, so that a bad input leaves no empty file.
        let mut packet = input.next_packet()?;
        let extension = self
            .to
            .extension()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        let mut output = match extension {
            _ if self.to_stdout() => Output::Hex(
                Box::new(std::io::BufWriter::new(std::io::stdout())),
                PathBuf::from("standard output"),
            ),
            "hex" | "txt" => {
                let file =
                    std::fs::File::create(&self.to).map_err(|it| Error::file(&self.to, it))?;
                Output::Hex(Box::new(std::io::BufWriter::new(file)), self.to.clone())
            }
            _ => Output::Capture(Box::new(CaptureWriter::create(&self.to)?.buffered())),
        };
        let progress = Progress::converting(&self.from.name);
        let (mut read, mut written) = (0, 0);
        // What a reader of the hex takes the next frame for.
        let mut link_type = link_type::ETHERNET;
        while let Some(it) = packet {
            read += 1;
            let wanted = self.from.number.is_none_or(|wanted| wanted == read);
            if wanted && session.admits_packet(read, &it) {
                match &mut output {
                    Output::Capture(writer) => {
                        if let Some(info) = input.interfaces().get(it.interface as usize) {
                            writer.declare(it.interface, info)?;
                        }
                        writer.write(&it)?;
                    }
                    Output::Hex(out, path) => {
                        let mut text = String::new();
                        if it.link_type != link_type {
                            link_type = it.link_type;
                            text = hextext::heading(link_type) + "\n";
                        }
                        text += &hex::encode(&it.bytes);
                        // A reader would take it for a part of a stream that was wrapped.
                        text += match hextext::may_wrap(it.bytes.len()) {
                            true => "\n\n",
                            false => "\n",
                        };
                        out.write_all(text.as_bytes())
                            .map_err(|it| self.hex_error(path, it))?;
                    }
                }
                written += 1;
            }
            progress.at(read, input.position());
            if session.interrupted() {
                break;
            }
            // What stands before a damage stays in the file, whole.
            packet = match input.next_packet() {
                Ok(packet) => packet,
                Err(_) if session.interrupted() => break,
                Err(error) => {
                    self.finish(&mut output, input.interfaces())?;
                    return Err(error);
                }
            };
        }
        self.finish(&mut output, input.interfaces())?;
        if let Some(wanted) = self.from.number.filter(|_| written == 0) {
            let from = Path::new(&self.from.name);
            return Err(Error::file(
                from,
                format!("has no frame {wanted}; it holds {read}"),
            ));
        }
        Ok(Converted {
            frames: written,
            to: self.to.clone(),
            interrupted: session.interrupted(),
        })
    }
}
