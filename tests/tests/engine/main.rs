//! The engine on real brokers, with real devices, through its public interface and without a window.
//!
//! Each test's name says what a user relies on. The tests call the engine as the window or the command line would, and
//! read its feed.

mod agreement;
mod answers;
mod app;
mod commands;
mod crossing;
mod database;
mod delivery;
mod desk;
mod durability;
mod fleet;
mod floods;
mod flow;
mod full_disk;
mod keyring;
mod limits;
mod logs;
mod modes;
mod narrow;
mod network;
mod offers;
mod preflight;
mod presence;
mod profiles;
mod refusals;
mod rollouts;
mod secrets;
mod seed;
mod sharing;
mod stepped_broker;
mod subscribing;
mod telemetry;
mod text;
mod thingsboard;
mod traffic;
mod ways;
mod wire;
