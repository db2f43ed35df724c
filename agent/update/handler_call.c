/* SPDX-License-Identifier: Apache-2.0 */
#include "update/handler_call.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-event.h>

#include "base/macro.h"

struct handler_call {
	int fd;
	sd_event_source *source;
	handler_call_done done;
	void *userdata;
};

struct handler_call *handler_call_free(struct handler_call *c)
{
	if (!c)
		return NULL;
	sd_event_source_disable_unref(c->source);
	closep(&c->fd);
	free(c);
	return NULL;
}

/* It is the caller's to free, and done may do that. */
static int on_answer(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
	struct handler_call *c = userdata;
	char message[INSTALL_MESSAGE_MAX];
	struct install_answer answer = { 0 };
	ssize_t n = recv(fd, message, sizeof(message), MSG_DONTWAIT);
	int r;

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	r = n <= 0 ? -ECONNRESET : install_answer_decode(message, (size_t)n, &answer);
	c->done(c->userdata, r, &answer);
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = -1;
	int ours;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == ENOENT || errno == ECONNREFUSED ? -ENOPKG : -errno;
	ours = fd;
	fd = -1;
	return ours;
}

static int send_request(int fd, const struct install_request *request, int package)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char message[INSTALL_MESSAGE_MAX];
	struct iovec part = { message, 0 };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	int n = install_request_encode(request, message, sizeof(message));

	if (n < 0)
		return n;
	part.iov_len = (size_t)n;
	if (package >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS,
						   .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.header), &package, sizeof(package));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int handler_call_new(struct sd_event *event, const char *socket, const struct install_request *request,
		     int package, handler_call_done done, void *userdata, struct handler_call **ret)
{
	struct handler_call *c;
	int fd = connect_to(socket), r;

	if (fd < 0)
		return fd;
	c = calloc(1, sizeof(*c));
	if (!c) {
		closep(&fd);
		return -ENOMEM;
	}
	*c = (struct handler_call){ .fd = fd, .done = done, .userdata = userdata };
	r = send_request(fd, request, package);
	if (r >= 0)
		r = sd_event_add_io(event, &c->source, fd, EPOLLIN, on_answer, c);
	if (r < 0) {
		handler_call_free(c);
		return r;
	}
	*ret = c;
	return 0;
}
