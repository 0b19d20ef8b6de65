//! Lists what `-i` can name, what can be used, and why not.

use clap::Args;

use super::lab;
use crate::link::interfaces::{self, InterfaceStatus};

/// Arguments of `interfaces`.
#[derive(Clone, Debug, Args)]
pub struct InterfacesArgs {
    /// One JSON object per interface
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: super::args::ColorChoice,
}

/// What `-i` can name.
#[derive(Debug)]
pub struct Links {
    /// The machine's interfaces.
    pub interfaces: Vec<InterfaceStatus>,
    /// The casts of the lab and what plays in them.
    pub lab: &'static [(&'static str, &'static str)],
}

impl InterfacesArgs {
    /// Looks at the machine.
    pub fn run(&self) -> Links {
        Links {
            interfaces: interfaces::list(),
            lab: &lab::CASTS,
        }
    }
}
