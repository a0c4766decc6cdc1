/* The least that a client over epoll does for a request: one send, one recv, and its share of an epoll_wait. */
#define _GNU_SOURCE
#include "client.h"
#include <sys/epoll.h>

#define EVENTS 64

static void send_request(struct connection *c) {
    c->received = 0;
    if (send(c->fd, request, request_size, MSG_NOSIGNAL) != (ssize_t)request_size)
        die("send");
}

static void on_readable(struct connection *c) {
    ssize_t size = recv(c->fd, c->buffer + c->received, ROOM - c->received, 0);
    if (size <= 0)
        die("recv");
    c->received += (size_t)size;
    if (is_complete(c))
        send_request(c);
}

int main(int count, char **words) {
    int connections, queue = epoll_create1(0);
    struct connection *all = open_connections(count, words, &connections);
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(queue, EPOLL_CTL_ADD, all[i].fd, &event) < 0)
            die("epoll_ctl");
        send_request(&all[i]);
    }
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(queue, events, EVENTS, -1);
        for (int i = 0; i < ready; i++)
            on_readable(events[i].data.ptr);
    }
}
