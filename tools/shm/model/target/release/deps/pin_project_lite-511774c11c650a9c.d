/work/h/shm/tools/shm/model/target/release/deps/pin_project_lite-511774c11c650a9c.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs

/work/h/shm/tools/shm/model/target/release/deps/libpin_project_lite-511774c11c650a9c.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs

/work/h/shm/tools/shm/model/target/release/deps/libpin_project_lite-511774c11c650a9c.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/pin-project-lite-0.2.18/src/lib.rs:
