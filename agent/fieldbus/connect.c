/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fieldbus/internal.h"

/* Never waits: a listener that is behind lets it fail, and it is tried again later. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, r = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = errno == ENOENT || errno == ECONNREFUSED ? -ENOPKG : -errno;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

int launch_service(const struct fieldbus_config *config, struct process *ret, int *ret_fd)
{
	int fd = connect_to(config->host_socket), again, r;

	if (fd < 0)
		return fd;
	again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (again < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret = (struct process){ .kind = PROCESS_SERVICE, .fd = again };
	*ret_fd = fd;
	return 0;
}
