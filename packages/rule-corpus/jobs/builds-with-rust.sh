## builds with Rust
#desc a developer or build server with Rust: cargo with a build script, tests, a release, a program installed in ~/.cargo/bin
#in host
#in rust:1
#needs cargo rustc
export HOME=/home/ann CARGO_NET_OFFLINE=true; cd /home/ann; cargo new -q --vcs none tool; cd tool
printf 'fn main() { let out = std::env::var("OUT_DIR").unwrap(); std::fs::write(format!("{out}/made.rs"), "pub const N: u32 = 7;").unwrap(); let _ = std::process::Command::new("git").arg("--version").status(); println!("cargo:rerun-if-changed=build.rs"); }\n' > build.rs
printf 'include!(concat!(env!("OUT_DIR"), "/made.rs"));\nfn main() { for n in 0..100 { std::fs::write(format!("/tmp/r{}", n %% 20), n.to_string()).unwrap(); } println!("{N}"); }\n#[test]\nfn seven() { assert_eq!(N, 7); }\n' > src/main.rs
cargo build -q; cargo test -q; cargo run -q; cargo build -q --release; cargo install -q --path .; .cargo/bin/tool || /home/ann/.cargo/bin/tool; cargo tree; cargo metadata --format-version 1 > /dev/null; cargo clean
