/*
 * Prints one view of one shared book, once or as often as it changes.
 *
 *     cc -std=c11 -O2 -Wall -Wextra -Werror -o book example.c
 *     ./book /dev/shm/parallax/parallax.direct.book AAPL XNAS [--follow]
 *
 * The MIC "-" means the best over all venues. Exit code 2 with a sentence when there is nothing to show.
 */
#define _POSIX_C_SOURCE 200809L
#include "parallax_book.h"

#include <time.h>

static const char *const WRITERS[] = {"alive", "stale", "dead", "closed"};

static uint64_t wall_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Prices stay exact: units and nine decimals. */
static void print_price(const char *name, int present, const struct plx_level *level) {
    if (!present) {
        printf(" %s=-", name);
        return;
    }
    uint64_t size = level->price < 0 ? -(uint64_t)level->price : (uint64_t)level->price;
    printf(" %s=%s%" PRIu64 ".%09" PRIu64 "x%" PRIu64, name, level->price < 0 ? "-" : "", size / UINT64_C(1000000000),
           size % UINT64_C(1000000000), level->quantity);
}

static void print_image(const struct plx_book *book, const struct plx_image *image) {
    const struct plx_top *top = &image->top;
    printf("%.64s updates=%" PRIu64 " sequence=%" PRIu64 " ts_event_ns=%" PRIu64 " ts_recv_ns=%" PRIu64 " quality=%s state=%s",
           book->header->source, top->version / 2, top->sequence, top->ts_event_ns, top->ts_recv_ns,
           PLX_QUALITIES[top->quality], PLX_STATES[top->state]);
    print_price("bid", plx_has(top, PLX_BID), &top->best[PLX_BID]);
    print_price("ask", plx_has(top, PLX_ASK), &top->best[PLX_ASK]);
    print_price("round_lot_bid", plx_has(top, PLX_ROUND_LOT_BID), &top->best[PLX_ROUND_LOT_BID]);
    print_price("round_lot_ask", plx_has(top, PLX_ROUND_LOT_ASK), &top->best[PLX_ROUND_LOT_ASK]);
    for (int n = 0; n < top->bid_levels || n < top->ask_levels; n++) {
        printf(" |%d", n + 1);
        print_price("bid", n < top->bid_levels, &image->levels[n][PLX_BID]);
        print_price("ask", n < top->ask_levels, &image->levels[n][PLX_ASK]);
    }
    printf(" writer=%s\n", WRITERS[plx_writer(book, wall_now_ns())]);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: %s FILE.book INSTRUMENT MIC|- [--follow]\n", argv[0]);
        return 2;
    }
    const char *venue = strcmp(argv[3], "-") == 0 ? "" : argv[3];
    int follow = argc > 4 && strcmp(argv[4], "--follow") == 0;
    struct plx_book book;
    char why[PLX_WHY_BYTES];
    if (plx_open(&book, argv[1], why) != 0) {
        fprintf(stderr, "%s\n", why);
        return 2;
    }
    long slot = plx_find(&book, argv[2], venue);
    if (slot < 0) {
        fprintf(stderr, "%s: has no %s at %s\n", argv[1], argv[2], argv[3]);
        return 2;
    }
    uint64_t shown = 0;
    do {
        struct plx_image image;
        int done = plx_read(&book, slot, &image);
        if (done == PLX_OK && image.top.version != shown) {
            shown = image.top.version;
            print_image(&book, &image);
            fflush(stdout);
        } else if (done != PLX_OK && !follow) {
            fprintf(stderr, "%s: %s\n", argv[1], done == PLX_EMPTY ? "nothing has been written to it yet" : "a write that does not end");
            return 2;
        }
        if (follow) {
            nanosleep(&(struct timespec){0, 1000000}, NULL);
        }
    } while (follow && !plx_replaced(&book));
    plx_close(&book);
    return 0;
}
