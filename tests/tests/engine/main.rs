//! The engine on real brokers, with real devices, by its own doors and without a window.
//!
//! A test says in its name what a user relies on. What somebody would do in the window or on the command line is asked
//! of the engine directly; what they would see is read from its feed.

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
mod preflight;
mod presence;
mod profiles;
mod puppet;
mod refusals;
mod rollouts;
mod secrets;
mod seed;
mod sharing;
mod subscribing;
mod telemetry;
mod text;
mod traffic;
mod ways;
mod wire;
