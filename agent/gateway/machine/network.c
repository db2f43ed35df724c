/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/machine/network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "gateway/machine/routes.h"

#define PATH_MAX_SIZE 256
#define LINE_MAX_SIZE 256
#define IEEE802154_TYPE "804" /* linux/if_arp.h */

/* ---- bearers ---- */

static bool has_entry(const char *folder, const char *interface, const char *entry)
{
	char path[PATH_MAX_SIZE];

	snprintf(path, sizeof(path), "%s/%s/%s", folder, interface, entry);
	return access(path, F_OK) == 0;
}

/* Is one of the file's lines this one? */
static bool has_line(const char *folder, const char *interface, const char *entry, const char *wanted)
{
	char path[PATH_MAX_SIZE], line[LINE_MAX_SIZE];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, interface, entry);
	f = fopen(path, "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found = streq(line, wanted);
	}
	if (f)
		fclose(f);
	return found;
}

enum builtin_bearer network_bearer(const char *folder, const char *interface)
{
	if (has_entry(folder, interface, "wireless") || has_entry(folder, interface, "phy80211") ||
	    has_line(folder, interface, "uevent", "DEVTYPE=wlan"))
		return BUILTIN_BEARER_WLAN;
	if (has_line(folder, interface, "uevent", "DEVTYPE=wwan"))
		return BUILTIN_BEARER_LTE;
	if (has_line(folder, interface, "uevent", "DEVTYPE=bluetooth"))
		return BUILTIN_BEARER_BLUETOOTH;
	if (has_line(folder, interface, "type", IEEE802154_TYPE))
		return BUILTIN_BEARER_802_15_4;
	return BUILTIN_BEARER_ETHERNET;
}

static void add_bearer(struct builtin_network *n, enum builtin_bearer bearer)
{
	for (unsigned i = 0; i < n->n_available; i++)
		if (n->available[i] == bearer)
			return;
	if (n->n_available < BUILTIN_BEARERS_MAX)
		n->available[n->n_available++] = bearer;
}

/* ---- addresses ---- */

static const void *address_of(const struct sockaddr *address)
{
	return address->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)address)->sin_addr :
					       (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr;
}

static bool is_ip(const struct ifaddrs *i)
{
	return i->ifa_addr && (i->ifa_addr->sa_family == AF_INET || i->ifa_addr->sa_family == AF_INET6) &&
	       i->ifa_flags & IFF_UP;
}

/* Those that a server could use: no link-local ones. */
static bool is_local(const struct sockaddr *address)
{
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static void add_address(struct builtin_network *n, const struct sockaddr *address)
{
	char *text = n->addresses[n->n_addresses];

	if (n->n_addresses < BUILTIN_ADDRESSES_MAX && inet_ntop(address->sa_family, address_of(address), text, BUILTIN_ADDRESS_MAX))
		n->n_addresses++;
}

/* Of loopback, or of all but that; best: of that one, or of all but that one; NULL: of all. */
static void add_addresses(struct builtin_network *n, const struct ifaddrs *all, bool loopback, const char *best,
			  bool of_best)
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (is_ip(i) && !is_local(i->ifa_addr) && loopback == !!(i->ifa_flags & IFF_LOOPBACK) &&
		    (!best || of_best == streq(i->ifa_name, best)))
			add_address(n, i->ifa_addr);
}

static void add_bearers(struct builtin_network *n, const char *folder, const struct ifaddrs *all)
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_flags & IFF_UP && !(i->ifa_flags & IFF_LOOPBACK))
			add_bearer(n, network_bearer(folder, i->ifa_name));
}

static const char *first_interface(const struct ifaddrs *all)
{
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (is_ip(i) && !(i->ifa_flags & IFF_LOOPBACK))
			return i->ifa_name;
	return NULL;
}

/* ---- signal ---- */

/* A line of /proc/net/wireless: "wlan0: 0000   54.  -56.  -256 ..."; levels above 0 are none in dBm. */
static void read_signal(const char *interface, struct builtin_network *n)
{
	char line[LINE_MAX_SIZE], name[IF_NAMESIZE + 1];
	FILE *f = fopen("/proc/self/net/wireless", "re");
	double quality, level;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %16[^:]: %*s %lf %lf", name, &quality, &level) != 3 || !streq(name, interface))
			continue;
		n->has_quality = true;
		n->quality = (int)quality;
		n->signal_dbm = level < 0 ? (int)level : 0;
	}
	if (f)
		fclose(f);
}

void network_read(const char *folder, struct builtin_network *ret)
{
	struct routes routes;
	struct ifaddrs *all = NULL;
	char name[IF_NAMESIZE] = "";
	const char *best = NULL;

	*ret = (struct builtin_network){ .bearer = BUILTIN_BEARER_ETHERNET };
	routes_read(&routes);
	if (getifaddrs(&all) < 0)
		all = NULL;
	if (routes.n > 0 && if_indextoname(routes.items[0].interface, name))
		best = name;
	else
		best = first_interface(all);
	if (best) {
		ret->bearer = network_bearer(folder, best);
		read_signal(best, ret);
	}
	add_bearer(ret, ret->bearer);
	add_bearers(ret, folder, all);
	add_addresses(ret, all, false, best, true);
	if (best)
		add_addresses(ret, all, false, best, false);
	if (ret->n_addresses == 0)
		add_addresses(ret, all, true, NULL, false);
	for (unsigned i = 0; i < routes.n && ret->n_routers < BUILTIN_ADDRESSES_MAX; i++)
		if (*routes.items[i].router)
			strcpy(ret->routers[ret->n_routers++], routes.items[i].router);
	if (all)
		freeifaddrs(all);
}
