// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.EditableBootstrapConfigStore;
import org.eclipse.leshan.server.bootstrap.InMemoryBootstrapConfigStore;
import org.eclipse.leshan.server.bootstrap.InvalidConfigurationException;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coaps.CoapsBootstrapServerProtocolProvider;
import org.eclipse.leshan.server.security.BootstrapSecurityStoreAdapter;
import org.eclipse.leshan.server.security.EditableSecurityStore;
import org.eclipse.leshan.server.security.InMemorySecurityStore;
import org.eclipse.leshan.server.security.NonUniqueSecurityInfoException;
import org.eclipse.leshan.server.security.SecurityInfo;

/**
 * An LwM2M bootstrap server made of Eclipse Leshan's libraries, with as much of the REST interface of
 * Leshan's bootstrap demo as the test asks. Sessions, their tasks, DTLS, who may ask, what is written and
 * its validation are Leshan's, set up as in the demo; ours are the options and HTTP:
 *
 * PUT /api/security/clients {"endpoint", "tls": {"mode": "psk", "details": {"identity", "key" in hex}}},
 * POST /api/bootstrap/EP with Leshan's BootstrapConfig, GET /api/bootstrap.
 *
 * Options, as those of the demo: -lh HOST -lp PORT of coap, -slh HOST -slp PORT of coaps, -wh HOST
 * -wp PORT of HTTP. Nothing outlives it. It is ready when GET /api/bootstrap answers.
 */
public final class BootstrapPeer {
	private static final ObjectMapper mapper = new ObjectMapper();

	private BootstrapPeer() {
	}

	public static void main(String[] arguments) throws Exception {
		Map<String, String> options = new HashMap<>();
		EditableBootstrapConfigStore accounts = new InMemoryBootstrapConfigStore();
		EditableSecurityStore keys = new InMemorySecurityStore();

		for (int i = 0; i + 1 < arguments.length; i += 2)
			options.put(arguments[i], arguments[i + 1]);
		LeshanBootstrapServer server = server(options, accounts, keys);
		HttpServer http = HttpServer.create(address(options, "-wh", "-wp"), 0);

		http.setExecutor(Executors.newCachedThreadPool());
		http.createContext("/api/security/clients", exchange -> answer(exchange, "PUT", () -> {
			keys.add(key(mapper.readTree(exchange.getRequestBody())));
			return "";
		}));
		http.createContext("/api/bootstrap", exchange -> {
			if (exchange.getRequestMethod().equals("GET"))
				answer(exchange, "GET", () -> String.join("\n", accounts.getAll().keySet()));
			else
				answer(exchange, "POST", () -> {
					accounts.add(endpoint(exchange), account(mapper.readTree(exchange.getRequestBody())));
					return "";
				});
		});
		server.start();
		http.start();
	}

	private static InetSocketAddress address(Map<String, String> options, String host, String port) {
		return new InetSocketAddress(options.get(host), Integer.parseInt(options.get(port)));
	}

	private static LeshanBootstrapServer server(Map<String, String> options,
			EditableBootstrapConfigStore accounts, EditableSecurityStore keys) {
		LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
		CaliforniumBootstrapServerEndpointsProvider.Builder endpoints =
				new CaliforniumBootstrapServerEndpointsProvider.Builder(
						new CoapBootstrapServerProtocolProvider(),
						new CoapsBootstrapServerProtocolProvider());
		Configuration configuration = endpoints.createDefaultConfiguration();

		configuration.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, true);
		endpoints.setConfiguration(configuration);
		endpoints.addEndpoint(address(options, "-lh", "-lp"), Protocol.COAP);
		endpoints.addEndpoint(address(options, "-slh", "-slp"), Protocol.COAPS);
		builder.setEndpointsProviders(endpoints.build());
		builder.setConfigStore(accounts);
		builder.setSecurityStore(new BootstrapSecurityStoreAdapter(keys));
		return builder.build();
	}

	private interface Work {
		String run() throws IOException, InvalidConfigurationException, NonUniqueSecurityInfoException;
	}

	private static void answer(HttpExchange exchange, String method, Work work) throws IOException {
		try {
			if (exchange.getRequestMethod().equals(method))
				Answer.text(exchange, 200, work.run());
			else
				Answer.text(exchange, 405, method);
		} catch (IllegalArgumentException | InvalidConfigurationException | NonUniqueSecurityInfoException
				| JsonProcessingException e) {
			Answer.text(exchange, 400, String.valueOf(e.getMessage()));
		}
	}

	private static String endpoint(HttpExchange exchange) {
		String path = exchange.getRequestURI().getPath();

		return path.substring(path.lastIndexOf('/') + 1);
	}

	private static SecurityInfo key(JsonNode json) {
		JsonNode details = json.at("/tls/details");

		if (!json.has("endpoint") || !json.at("/tls/mode").asText().equals("psk"))
			throw new IllegalArgumentException("only endpoints with a pre-shared key are known here");
		return SecurityInfo.newPreSharedKeyInfo(json.get("endpoint").asText(),
				details.path("identity").asText(),
				Hex.decodeHex(details.path("key").asText().toCharArray()));
	}

	/** The members of BootstrapConfig; a binding is text, "U". */
	private static BootstrapConfig account(JsonNode json) throws IOException {
		Map<Integer, EnumSet<BindingMode>> bindings = new HashMap<>();

		json.path("servers").fields().forEachRemaining(server -> {
			JsonNode binding = ((ObjectNode) server.getValue()).remove("binding");

			if (binding != null)
				bindings.put(Integer.valueOf(server.getKey()), BindingMode.parse(binding.asText()));
		});
		BootstrapConfig account = mapper.treeToValue(json, BootstrapConfig.class);
		bindings.forEach((instance, binding) -> account.servers.get(instance).binding = binding);
		return account;
	}
}
