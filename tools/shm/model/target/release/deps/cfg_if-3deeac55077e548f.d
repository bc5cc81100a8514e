/work/h/shm/tools/shm/model/target/release/deps/cfg_if-3deeac55077e548f.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs

/work/h/shm/tools/shm/model/target/release/deps/libcfg_if-3deeac55077e548f.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs

/work/h/shm/tools/shm/model/target/release/deps/libcfg_if-3deeac55077e548f.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/cfg-if-1.0.5/src/lib.rs:
