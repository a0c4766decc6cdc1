/* The same over io_uring, by its system calls alone: one io_uring_enter sends and receives for all that is ready. */
#define _GNU_SOURCE
#include "client.h"
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define SENT 1ull /* in user_data: the completion is that of a send; pointers to connections are even */

static int ring;
static unsigned *queue_tail, *queue_mask, *queue_array, *done_head, *done_tail, *done_mask;
static unsigned tail, unsubmitted;
static struct io_uring_sqe *entries;
static struct io_uring_cqe *done;

static void *mapped(size_t size, off_t offset) {
    void *place = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
    if (place == MAP_FAILED)
        die("mmap of io_uring");
    return place;
}

static void open_ring(unsigned size) {
    struct io_uring_params p = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    ring = (int)syscall(__NR_io_uring_setup, size, &p);
    if (ring < 0)
        die("io_uring_setup");
    char *queue = mapped(p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
    char *results = mapped(p.cq_off.cqes + p.cq_entries * sizeof *done, IORING_OFF_CQ_RING);
    entries = mapped(p.sq_entries * sizeof *entries, IORING_OFF_SQES);
    queue_tail = (unsigned *)(queue + p.sq_off.tail), queue_mask = (unsigned *)(queue + p.sq_off.ring_mask);
    queue_array = (unsigned *)(queue + p.sq_off.array);
    done_head = (unsigned *)(results + p.cq_off.head), done_tail = (unsigned *)(results + p.cq_off.tail);
    done_mask = (unsigned *)(results + p.cq_off.ring_mask), done = (struct io_uring_cqe *)(results + p.cq_off.cqes);
}

static void add(int operation, struct connection *c, void *bytes, size_t size, unsigned char flags, __u64 data) {
    unsigned at = tail++ & *queue_mask;
    entries[at] = (struct io_uring_sqe){.opcode = (__u8)operation, .flags = flags, .fd = c->fd};
    entries[at].addr = (__u64)(size_t)bytes, entries[at].len = (unsigned)size, entries[at].user_data = data;
    queue_array[at] = at;
    unsubmitted++;
}

static void receive(struct connection *c) {
    add(IORING_OP_RECV, c, c->buffer + c->received, ROOM - c->received, 0, (__u64)(size_t)c);
}

static void exchange(struct connection *c) {
    c->received = 0;
    add(IORING_OP_SEND, c, request, request_size, IOSQE_IO_LINK, (__u64)(size_t)c | SENT);
    receive(c);
}

static void on_done(const struct io_uring_cqe *result) {
    struct connection *c = (struct connection *)(size_t)(result->user_data & ~SENT);
    errno = result->res < 0 ? -result->res : 0;
    if (result->user_data & SENT) {
        if (result->res != (int)request_size)
            die("send");
        return;
    }
    if (result->res <= 0)
        die("recv");
    c->received += (size_t)result->res;
    if (is_complete(c))
        exchange(c);
    else
        receive(c);
}

int main(int count, char **words) {
    int connections;
    struct connection *all = open_connections(count, words, &connections);
    open_ring((unsigned)connections * 4);
    for (int i = 0; i < connections; i++)
        exchange(&all[i]);
    for (;;) {
        atomic_store_explicit((_Atomic unsigned *)queue_tail, tail, memory_order_release);
        long taken = syscall(__NR_io_uring_enter, ring, unsubmitted, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        if (taken < 0 && errno != EINTR)
            die("io_uring_enter");
        unsubmitted -= taken < 0 ? 0 : (unsigned)taken;
        unsigned head = *done_head;
        unsigned last = atomic_load_explicit((_Atomic unsigned *)done_tail, memory_order_acquire);
        while (head != last)
            on_done(&done[head++ & *done_mask]);
        atomic_store_explicit((_Atomic unsigned *)done_head, head, memory_order_release);
    }
}
