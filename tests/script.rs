//! The language: values, packets, options, the lab from a script, `run`, and what a hostile script may do.

#[path = "support/frames.rs"]
mod frames;
#[path = "support/python.rs"]
mod python;
#[path = "support/script.rs"]
mod support;

#[path = "script/assertions.rs"]
mod assertions;
#[path = "script/bytes.rs"]
mod bytes;
#[path = "script/hostile.rs"]
mod hostile;
#[path = "script/lab.rs"]
mod lab;
#[path = "script/options.rs"]
mod options;
#[path = "script/packets.rs"]
mod packets;
#[path = "script/run.rs"]
mod run;
#[path = "script/source.rs"]
mod source;
#[path = "script/steps.rs"]
mod steps;
