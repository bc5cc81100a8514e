/*
 * parallax_book.h: reads the shared-memory books of Parallax. C11 and POSIX, one header, no library. With -std=c11
 * define _POSIX_C_SOURCE 200809L (or _GNU_SOURCE) before the first header, or compile with -std=gnu11.
 *
 * The layout is documented in docs/shared-memory.md; this is layout version 1. A file holds the books of one source:
 * a header, a directory of one entry per slot, the slots. Every number is a 64-bit word of the machine's own byte
 * order, every text is bytes filled up with NUL (and NOT ended by one when it fills its field).
 *
 *     struct plx_book book;
 *     char why[PLX_WHY_BYTES];
 *     if (plx_open(&book, "/dev/shm/parallax/parallax.direct.book", why) != 0) { puts(why); exit(2); }
 *     long slot = plx_find(&book, "AAPL", "XNAS");          // "" for the best over all venues; keep the answer
 *     struct plx_image image;
 *     if (slot >= 0 && plx_read(&book, slot, &image) == PLX_OK && plx_has(&image.top, PLX_BID))
 *         printf("%.9f x %" PRIu64 "\n", plx_price(image.top.best[PLX_BID].price), image.top.best[PLX_BID].quantity);
 *     plx_close(&book);
 *
 * A reader never writes and never slows the writer. A read is all of one moment or it is PLX_TORN. PLX_TORN from a
 * living writer means: try again. From a dead one (plx_writer) it stays so. When plx_replaced says so the daemon was
 * started anew: open again.
 */
#ifndef PARALLAX_BOOK_H
#define PARALLAX_BOOK_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define PLX_VERSION 1
#define PLX_LEVELS_MAX 10
#define PLX_SLOTS_MAX (UINT64_C(1) << 20)
#define PLX_TRIES 1000
#define PLX_WHY_BYTES 256
/* A writer gives a sign of life every 100 ms; after ten missed ones it is stale. */
#define PLX_STALE_AFTER_NS UINT64_C(1000000000)

enum { PLX_BID = 0, PLX_ASK = 1, PLX_ROUND_LOT_BID = 2, PLX_ROUND_LOT_ASK = 3 };

/* plx_read */
enum { PLX_OK = 0, PLX_NO_SLOT = -1, PLX_EMPTY = -2, PLX_TORN = -3, PLX_UNREADABLE = -4 };

/* plx_writer */
enum { PLX_ALIVE = 0, PLX_STALE = 1, PLX_DEAD = 2, PLX_CLOSED = 3 };

struct plx_header {
    char magic[8]; /* "PLXBOOK\n" */
    uint64_t version;
    uint64_t header_bytes;
    uint64_t entry_bytes;
    uint64_t slot_bytes;
    uint64_t slots; /* that there is room for */
    uint64_t levels;
    uint64_t directory_offset; /* bytes from the file's start */
    uint64_t slots_offset;
    uint64_t file_bytes;
    uint64_t epoch; /* greater than that of every earlier file of the name */
    uint64_t created_ns;
    uint64_t pid;
    uint64_t pid_start; /* field 22 of /proc/PID/stat */
    uint64_t pid_namespace;
    uint64_t reserved_0;
    char name[48]; /* the daemon's */
    char source[64];
    char feed[32];
    char venue[8];
    uint64_t reserved_1[29];
    _Atomic uint64_t heartbeat_ns;
    _Atomic uint64_t closed;
    uint64_t reserved_2[14];
    _Atomic uint64_t count; /* slots in use */
    _Atomic uint64_t overflow; /* views that have none */
    _Atomic uint64_t renames;
    uint64_t reserved_3[45];
};

struct plx_entry {
    uint64_t version;
    char instrument[48];
    char venue[8]; /* MIC; empty for the best over all venues */
};

struct plx_level {
    int64_t price; /* units of 1e-9 */
    uint64_t quantity;
};

/* A slot before its levels. */
struct plx_top {
    uint64_t version; /* twice the number of updates; odd while one is being written */
    uint8_t quality; /* of PLX_QUALITIES */
    uint8_t state; /* of PLX_STATES */
    uint8_t present; /* bit n: best[n] is there */
    uint8_t bid_levels;
    uint8_t ask_levels;
    uint8_t reserved[3];
    uint64_t sequence;
    uint64_t ts_event_ns; /* the venue's; 0 when the feed gives none. All times: nanoseconds since 1970 UTC */
    uint64_t ts_recv_ns;
    uint64_t ts_published_ns;
    struct plx_level best[4]; /* bid, ask, round-lot bid, round-lot ask */
    uint64_t capture;
    uint64_t frame;
};

struct plx_image {
    struct plx_top top;
    struct plx_level levels[PLX_LEVELS_MAX][2]; /* [n][PLX_BID or PLX_ASK] */
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the bytes of a slot's flags stand as on x86-64 and ARM64");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit loads must be free of locks");
_Static_assert(sizeof(_Atomic uint64_t) == 8, "an atomic word is a word");
_Static_assert(sizeof(struct plx_header) == 1024, "header");
_Static_assert(offsetof(struct plx_header, name) == 128, "header.name");
_Static_assert(offsetof(struct plx_header, source) == 176, "header.source");
_Static_assert(offsetof(struct plx_header, venue) == 272, "header.venue");
_Static_assert(offsetof(struct plx_header, heartbeat_ns) == 512, "header.heartbeat_ns");
_Static_assert(offsetof(struct plx_header, count) == 640, "header.count");
_Static_assert(sizeof(struct plx_entry) == 64, "entry");
_Static_assert(sizeof(struct plx_level) == 16, "level");
_Static_assert(sizeof(struct plx_top) == 128, "slot");
_Static_assert(offsetof(struct plx_top, sequence) == 16, "slot.sequence");
_Static_assert(offsetof(struct plx_top, best) == 48, "slot.best");
_Static_assert(offsetof(struct plx_image, levels) == 128, "slot.levels");

static const char *const PLX_QUALITIES[] = {"ok", "suspect", "halted", "auction", "closed"};
static const char *const PLX_STATES[] = {"unknown", "trading", "auction", "halted", "closed"};

struct plx_book {
    const unsigned char *memory;
    const struct plx_header *header;
    uint64_t slots, slot_bytes, directory_offset, slots_offset, levels;
    size_t bytes;
    dev_t device;
    ino_t inode;
    char path[1024];
};

static inline int plx_has(const struct plx_top *top, int which) { return top->present >> which & 1; }

/* For showing only: a double cannot hold every price. */
static inline double plx_price(int64_t nanos) { return (double)nanos / 1e9; }

static inline uint64_t plx_load(const void *word) {
    return atomic_load_explicit((const _Atomic uint64_t *)word, memory_order_relaxed);
}

/* 0, or -1 and the reason in `why`. */
static inline int plx_open(struct plx_book *book, const char *path, char why[PLX_WHY_BYTES]) {
    memset(book, 0, sizeof *book);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found;
    if (file < 0 || fstat(file, &found) != 0) {
        snprintf(why, PLX_WHY_BYTES, "%.150s: %s", path, strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    struct plx_header head;
    const char *wrong = NULL;
    if (pread(file, &head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head.magic, "PLXBOOK\n", 8) != 0)
        wrong = "is no shared book";
    else if (head.version != PLX_VERSION)
        wrong = "has another layout version";
    else if (head.header_bytes != sizeof head || head.entry_bytes != sizeof(struct plx_entry) || head.slots < 1 ||
             head.slots > PLX_SLOTS_MAX || head.levels > PLX_LEVELS_MAX ||
             head.slot_bytes != (128 + 32 * head.levels + 127) / 128 * 128 || head.directory_offset != sizeof head ||
             head.slots_offset != (sizeof head + 64 * head.slots + 127) / 128 * 128 ||
             head.file_bytes != head.slots_offset + head.slots * head.slot_bytes)
        wrong = "contradicts itself";
    else if ((uint64_t)found.st_size < head.file_bytes)
        wrong = "is cut off";
    void *memory = MAP_FAILED;
    if (wrong == NULL) {
        memory = mmap(NULL, (size_t)head.file_bytes, PROT_READ, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED)
            wrong = "cannot be mapped";
    }
    close(file);
    if (wrong != NULL) {
        snprintf(why, PLX_WHY_BYTES, "%.150s: %s", path, wrong);
        return -1;
    }
    book->memory = memory;
    book->header = memory;
    book->slots = head.slots;
    book->levels = head.levels;
    book->slot_bytes = head.slot_bytes;
    book->directory_offset = head.directory_offset;
    book->slots_offset = head.slots_offset;
    book->bytes = (size_t)head.file_bytes;
    book->device = found.st_dev;
    book->inode = found.st_ino;
    snprintf(book->path, sizeof book->path, "%s", path);
    return 0;
}

static inline void plx_close(struct plx_book *book) {
    if (book->memory != NULL)
        munmap((void *)(uintptr_t)book->memory, book->bytes);
    book->memory = NULL;
}

/*
 * The sequence lock's reading side: copies `words` 64-bit words, the version first. The first fence is the partner of
 * the release store that ends a write, the second one of the release fence that begins a write.
 */
static inline int plx_copy(const void *cell, uint64_t *out, size_t words) {
    const unsigned char *from = cell;
    for (int tries = 0; tries < PLX_TRIES; tries++) {
        uint64_t before = plx_load(from);
        atomic_thread_fence(memory_order_acquire);
        if (before & 1)
            continue;
        for (size_t n = 1; n < words; n++)
            out[n] = plx_load(from + 8 * n);
        atomic_thread_fence(memory_order_acquire);
        if (plx_load(from) == before) {
            out[0] = before;
            return before == 0 ? PLX_EMPTY : PLX_OK;
        }
    }
    return PLX_TORN;
}

/* Slots in use. */
static inline uint64_t plx_count(const struct plx_book *book) {
    uint64_t count = plx_load(&book->header->count);
    atomic_thread_fence(memory_order_acquire);
    return count < book->slots ? count : book->slots;
}

static inline int plx_entry_at(const struct plx_book *book, uint64_t slot, struct plx_entry *out) {
    if (slot >= plx_count(book))
        return PLX_NO_SLOT;
    uint64_t words[sizeof *out / 8];
    int done = plx_copy(book->memory + book->directory_offset + slot * sizeof *out, words, sizeof *out / 8);
    memcpy(out, words, sizeof *out);
    return done;
}

/* The slot of a view, or -1. It looks at every entry: keep the answer until header->renames moves. */
static inline long plx_find(const struct plx_book *book, const char *instrument, const char *venue) {
    struct plx_entry entry;
    for (uint64_t slot = 0; slot < plx_count(book); slot++)
        if (plx_entry_at(book, slot, &entry) == PLX_OK && strlen(instrument) <= sizeof entry.instrument &&
            strncmp(entry.instrument, instrument, sizeof entry.instrument) == 0 &&
            strlen(venue) <= sizeof entry.venue && strncmp(entry.venue, venue, sizeof entry.venue) == 0)
            return (long)slot;
    return -1;
}

/* What a slot shows now: PLX_OK, or why not. */
static inline int plx_read(const struct plx_book *book, long slot, struct plx_image *out) {
    if (slot < 0 || (uint64_t)slot >= plx_count(book))
        return PLX_NO_SLOT;
    uint64_t words[sizeof *out / 8] = {0};
    int done = plx_copy(book->memory + book->slots_offset + (uint64_t)slot * book->slot_bytes, words,
                        (size_t)(16 + 4 * book->levels));
    memcpy(out, words, sizeof *out);
    if (done == PLX_OK && (out->top.quality > 4 || out->top.state > 4 || out->top.bid_levels > book->levels ||
                           out->top.ask_levels > book->levels))
        return PLX_UNREADABLE;
    return done;
}

/* How the writer is, `now_ns` being the wall's time (CLOCK_REALTIME). Looks into /proc: not for every read. */
static inline int plx_writer(const struct plx_book *book, uint64_t now_ns) {
    const struct plx_header *header = book->header;
    int gone = 0;
    char path[64], text[512];
    struct stat own;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", header->pid);
    if (header->pid != 0 && stat("/proc/self/ns/pid", &own) == 0 && (uint64_t)own.st_ino == header->pid_namespace) {
        FILE *file = fopen(path, "r");
        size_t had = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
        if (file != NULL)
            fclose(file);
        text[had] = 0;
        char *field = strrchr(text, ')');
        char state = field != NULL && strlen(field) > 2 ? field[2] : 0;
        for (int n = 0; field != NULL && n < 20; n++) /* from the end of field 2 to field 22 */
            field = strchr(field + 1, ' ');
        if (field != NULL)
            gone = state == 'Z' || state == 'X' || (header->pid_start != 0 && strtoull(field, NULL, 10) != header->pid_start);
        else /* hidden from us, or gone */
            gone = kill((pid_t)header->pid, 0) != 0 && errno == ESRCH;
    }
    /* Closed is looked at last: a writer that closes and ends is gone after it closed. */
    uint64_t closed = plx_load(&header->closed), heartbeat = plx_load(&header->heartbeat_ns);
    atomic_thread_fence(memory_order_acquire);
    if (closed)
        return PLX_CLOSED;
    if (gone)
        return PLX_DEAD;
    return now_ns > heartbeat && now_ns - heartbeat > PLX_STALE_AFTER_NS ? PLX_STALE : PLX_ALIVE;
}

/* Whether another file lies at the path by now, or none. */
static inline int plx_replaced(const struct plx_book *book) {
    struct stat found;
    return stat(book->path, &found) != 0 || found.st_dev != book->device || found.st_ino != book->inode;
}

#endif
