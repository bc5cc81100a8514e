/work/h/shm/tools/shm/model/target/release/deps/matchers-a95c2128b843c652.d: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matchers-0.2.0/src/lib.rs

/work/h/shm/tools/shm/model/target/release/deps/libmatchers-a95c2128b843c652.rlib: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matchers-0.2.0/src/lib.rs

/work/h/shm/tools/shm/model/target/release/deps/libmatchers-a95c2128b843c652.rmeta: /root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matchers-0.2.0/src/lib.rs

/root/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matchers-0.2.0/src/lib.rs:
