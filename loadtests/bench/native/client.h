/* What both clients share: their arguments, their connections, and where a response ends.
 *
 * A client sends the bytes of a file over each of its connections, again as soon as the response is complete, until it
 * is killed. It looks at the status and at Content-Length, and at nothing else. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROOM 16384 /* bytes of a response */

struct connection {
    int fd;
    size_t received;
    char buffer[ROOM + 1];
};

static char request[ROOM];
static size_t request_size;

static void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(2);
}

/* 1 when the response in `c` is complete, 0 while it is not. Ends the program at another status than 2xx. */
static int is_complete(struct connection *c) {
    c->buffer[c->received] = 0;
    char *end = strstr(c->buffer, "\r\n\r\n");
    if (!end)
        return 0;
    if (strncmp(c->buffer, "HTTP/1.1 2", 10) != 0) {
        fprintf(stderr, "the server refused a request: %.60s\n", c->buffer);
        exit(1);
    }
    char *length = strcasestr(c->buffer, "\r\nContent-Length:");
    if (!length || length > end) {
        fprintf(stderr, "a response without Content-Length: %.200s\n", c->buffer);
        exit(1);
    }
    size_t size = (size_t)(end + 4 - c->buffer) + strtoul(length + 17, NULL, 10);
    if (size > ROOM) {
        fprintf(stderr, "a response of %zu bytes: at most %d are expected\n", size, ROOM);
        exit(1);
    }
    return c->received >= size;
}

/* Reads PORT, CONNECTIONS and FILE, and opens the connections to 127.0.0.1. */
static struct connection *open_connections(int count, char **words, int *connections) {
    if (count != 4) {
        fprintf(stderr, "usage: %s PORT CONNECTIONS FILE\n", words[0]);
        exit(2);
    }
    FILE *file = fopen(words[3], "rb");
    if (!file)
        die(words[3]);
    request_size = fread(request, 1, sizeof request, file);
    fclose(file);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *connections = atoi(words[2]);
    struct connection *opened = calloc((size_t)*connections, sizeof *opened);
    for (int i = 0; i < *connections; i++) {
        int on = 1;
        opened[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (opened[i].fd < 0 || connect(opened[i].fd, (struct sockaddr *)&address, sizeof address) < 0)
            die("connect");
        setsockopt(opened[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return opened;
}
