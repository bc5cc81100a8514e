/work/h/shm/tools/shm/model/target/release/deps/shm_model-0e63ad965f8513c5.d: src/lib.rs src/../../../../src/shm/seqlock.rs

/work/h/shm/tools/shm/model/target/release/deps/libshm_model-0e63ad965f8513c5.rlib: src/lib.rs src/../../../../src/shm/seqlock.rs

/work/h/shm/tools/shm/model/target/release/deps/libshm_model-0e63ad965f8513c5.rmeta: src/lib.rs src/../../../../src/shm/seqlock.rs

src/lib.rs:
src/../../../../src/shm/seqlock.rs:
