//! dhcpcraft
pub mod wire;
