/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A DTLS server with a pre-shared key that hands each record's content on as a
 * datagram, and takes datagrams for records, so that a test made by hand can
 * say anything at all behind a handshake:
 *   dtls_front HOST:PORT IDENTITY:HEX
 * prints `coaps HOST:PORT` and `ready`. Serves the client that came last. Lines
 * of standard input: `alert N` sends a fatal one, `records HEX HEX ...` all of
 * them in one datagram.
 */

#define DATAGRAM_MAX 65536
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-DTLS1.2:+PSK:+AES-128-CCM-8"

static struct {
	int outer, inner;
	gnutls_session_t tls;
	gnutls_psk_server_credentials_t credentials;
	struct sockaddr_in client;
	const char *identity, *key;
	bool established, corked;
	uint8_t in[DATAGRAM_MAX], cork[DATAGRAM_MAX];
	ssize_t in_size;
	size_t cork_size;
} front;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "dtls_front: %s\n", what);
	exit(EXIT_FAILURE);
}

static size_t unhex(const char *text, uint8_t *ret, size_t size)
{
	size_t n = 0;
	unsigned byte;

	for (; n < size && sscanf(text, "%2x", &byte) == 1; text += 2)
		ret[n++] = (uint8_t)byte;
	return n;
}

static int get_key(gnutls_session_t tls, const char *username, gnutls_datum_t *key)
{
	if (strcmp(username, front.identity) != 0)
		return -1;
	key->data = gnutls_malloc(64);
	key->size = (unsigned)unhex(front.key, key->data, 64);
	return 0;
}

static ssize_t push(gnutls_transport_ptr_t ptr, const void *data, size_t size)
{
	if (front.corked && front.cork_size + size <= sizeof(front.cork)) {
		memcpy(front.cork + front.cork_size, data, size);
		front.cork_size += size;
		return (ssize_t)size;
	}
	sendto(front.outer, data, size, 0, (struct sockaddr *)&front.client, sizeof(front.client));
	return (ssize_t)size;
}

static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t size)
{
	ssize_t n = front.in_size;

	if (n <= 0) {
		gnutls_transport_set_errno(front.tls, EAGAIN);
		return -1;
	}
	if ((size_t)n > size)
		n = (ssize_t)size;
	memcpy(data, front.in, (size_t)n);
	front.in_size = 0;
	return n;
}

static int pull_timeout(gnutls_transport_ptr_t ptr, unsigned ms)
{
	return front.in_size > 0;
}

static void open_session(void)
{
	if (front.tls)
		gnutls_deinit(front.tls);
	front.established = false;
	if (gnutls_init(&front.tls, GNUTLS_SERVER | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK) < 0 ||
	    gnutls_priority_set_direct(front.tls, PRIORITY, NULL) < 0 ||
	    gnutls_credentials_set(front.tls, GNUTLS_CRD_PSK, front.credentials) < 0)
		die("no session");
	gnutls_dtls_set_mtu(front.tls, 20000);
	gnutls_transport_set_push_function(front.tls, push);
	gnutls_transport_set_pull_function(front.tls, pull);
	gnutls_transport_set_pull_timeout_function(front.tls, pull_timeout);
}

static void from_client(void)
{
	struct sockaddr_in from;
	socklen_t n = sizeof(from);
	uint8_t record[DATAGRAM_MAX];
	ssize_t size;

	front.in_size = recvfrom(front.outer, front.in, sizeof(front.in), 0, (struct sockaddr *)&from, &n);
	if (front.in_size <= 0)
		return;
	if (!front.tls || memcmp(&from, &front.client, sizeof(from)) != 0) {
		front.client = from;
		open_session();
	}
	if (!front.established && gnutls_handshake(front.tls) == 0)
		front.established = true;
	while (front.established && (size = gnutls_record_recv(front.tls, record, sizeof(record))) > 0)
		send(front.inner, record, (size_t)size, 0);
	front.in_size = 0;
}

static void from_inside(void)
{
	uint8_t data[DATAGRAM_MAX];
	ssize_t size = recv(front.inner, data, sizeof(data), 0);

	if (size >= 0 && front.established)
		gnutls_record_send(front.tls, data, (size_t)size);
}

static void send_records(char *words)
{
	uint8_t record[2048];
	char *rest = NULL;

	front.corked = true;
	front.cork_size = 0;
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		gnutls_record_send(front.tls, record, unhex(word, record, sizeof(record)));
	front.corked = false;
	push(NULL, front.cork, front.cork_size);
}

static void command(char *line)
{
	line[strcspn(line, "\n")] = '\0';
	if (!front.established)
		puts("error no client");
	else if (strncmp(line, "alert ", 6) == 0)
		puts(gnutls_alert_send(front.tls, GNUTLS_AL_FATAL, atoi(line + 6)) < 0 ? "error" : "ok");
	else if (strncmp(line, "records ", 8) == 0) {
		send_records(line + 8);
		puts("ok");
	} else
		puts("error unknown command");
}

static void open_sockets(char *place)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char *port = strrchr(place, ':');
	socklen_t n = sizeof(address);

	front.outer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	front.inner = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(front.outer, (struct sockaddr *)&address, n) < 0 ||
	    getsockname(front.outer, (struct sockaddr *)&address, &n) < 0)
		die("cannot bind");
	printf("coaps 127.0.0.1:%u\n", ntohs(address.sin_port));
	address.sin_port = htons((uint16_t)(port ? atoi(port + 1) : 0));
	if (connect(front.inner, (struct sockaddr *)&address, n) < 0)
		die("cannot connect");
}

int main(int argc, char **argv)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN }, { .events = POLLIN } };
	char line[DATAGRAM_MAX], *key;

	if (argc != 3 || !(key = strrchr(argv[2], ':')))
		die("dtls_front HOST:PORT IDENTITY:HEX");
	*key++ = '\0';
	front.identity = argv[2];
	front.key = key;
	setlinebuf(stdout);
	if (gnutls_psk_allocate_server_credentials(&front.credentials) < 0)
		die("no credentials");
	gnutls_psk_set_server_credentials_function(front.credentials, get_key);
	open_sockets(argv[1]);
	puts("ready");
	fds[1].fd = front.outer;
	fds[2].fd = front.inner;
	while (poll(fds, 3, -1) >= 0) {
		if (fds[1].revents)
			from_client();
		if (fds[2].revents)
			from_inside();
		if (!fds[0].revents)
			continue;
		if (!fgets(line, sizeof(line), stdin))
			break;
		command(line);
	}
	if (front.tls)
		gnutls_deinit(front.tls);
	gnutls_psk_free_server_credentials(front.credentials);
	return EXIT_SUCCESS;
}
