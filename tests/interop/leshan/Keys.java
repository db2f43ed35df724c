// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import org.eclipse.leshan.core.util.Hex;
import org.eclipse.leshan.servers.security.EditableSecurityStore;
import org.eclipse.leshan.servers.security.NonUniqueSecurityInfoException;
import org.eclipse.leshan.servers.security.SecurityInfo;

/** /api/security/clients: PUT adds or replaces what is known of an endpoint, DELETE /EP drops it. */
final class Keys implements HttpHandler {
	private final EditableSecurityStore store;
	private final ObjectMapper mapper = new ObjectMapper();

	Keys(EditableSecurityStore store) {
		this.store = store;
	}

	@Override
	public void handle(HttpExchange exchange) throws IOException {
		try {
			switch (exchange.getRequestMethod()) {
			case "PUT":
				store.add(info(mapper.readTree(exchange.getRequestBody())));
				Answer.text(exchange, 200, "");
				break;
			case "DELETE":
				// True: its connections end with it.
				boolean known = store.remove(endpoint(exchange), true) != null;
				Answer.text(exchange, known ? 204 : 404, "");
				break;
			default:
				Answer.text(exchange, 405, "PUT or DELETE");
			}
		} catch (IllegalArgumentException | NonUniqueSecurityInfoException e) {
			Answer.text(exchange, 400, e.getMessage());
		}
	}

	private static String endpoint(HttpExchange exchange) {
		String path = exchange.getRequestURI().getPath();

		return path.substring(path.lastIndexOf('/') + 1);
	}

	/** {"endpoint", "tls": {"mode": "psk", "details": {"identity", "key" in hex}}} */
	private static SecurityInfo info(JsonNode json) {
		JsonNode details = json.at("/tls/details");

		if (!json.has("endpoint") || !json.at("/tls/mode").asText().equals("psk"))
			throw new IllegalArgumentException("only endpoints with a pre-shared key are known here");
		return SecurityInfo.newPreSharedKeyInfo(json.get("endpoint").asText(),
				details.path("identity").asText(),
				Hex.decodeHex(details.path("key").asText().toCharArray()));
	}
}
