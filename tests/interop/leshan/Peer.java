// SPDX-License-Identifier: Apache-2.0
package fieldway.leshan;

import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.californium.scandium.config.DtlsConfig;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.servers.security.EditableSecurityStore;
import org.eclipse.leshan.servers.security.FileSecurityStore;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coaps.CoapsServerProtocolProvider;

/**
 * An LwM2M server made of Eclipse Leshan's libraries, with as much of the REST interface of Leshan's
 * demo server as the test asks. What speaks LwM2M (endpoints, DTLS, registrations, observations,
 * codecs, models, the store of keys) is Leshan's; ours are the options and HTTP.
 *
 * Options, as those of the demo: -lh HOST -lp PORT of coap, -slh HOST -slp PORT of coaps, -wh HOST
 * -wp PORT of HTTP, -m FOLDER of object models. Keys lie in data/ below the working folder and
 * outlive a restart. It is ready when GET /api/clients answers.
 */
public final class Peer {
	private Peer() {
	}

	public static void main(String[] arguments) throws Exception {
		Map<String, String> options = options(arguments);
		EditableSecurityStore keys = new FileSecurityStore();
		LeshanServer server = server(options, keys);
		HttpServer http = HttpServer.create(address(options, "-wh", "-wp", 8080), 0);

		http.setExecutor(Executors.newCachedThreadPool());
		http.createContext("/api/clients", new Clients(server));
		http.createContext("/api/security/clients", new Keys(keys));
		http.createContext("/api/event", new Events(server));
		server.start();
		http.start();
	}

	private static Map<String, String> options(String[] arguments) {
		Map<String, String> options = new HashMap<>();

		for (int i = 0; i + 1 < arguments.length; i += 2)
			options.put(arguments[i], arguments[i + 1]);
		return options;
	}

	private static InetSocketAddress address(Map<String, String> options, String host, String port,
			int usual) {
		return new InetSocketAddress(options.getOrDefault(host, "127.0.0.1"),
				Integer.parseInt(options.getOrDefault(port, Integer.toString(usual))));
	}

	private static LeshanServer server(Map<String, String> options, EditableSecurityStore keys)
			throws Exception {
		LeshanServerBuilder builder = new LeshanServerBuilder();
		CaliforniumServerEndpointsProvider.Builder endpoints =
				new CaliforniumServerEndpointsProvider.Builder(
						new CoapServerProtocolProvider(), new CoapsServerProtocolProvider());
		Configuration configuration = endpoints.createDefaultConfiguration();

		// As the demo has it unless told otherwise.
		configuration.set(DtlsConfig.DTLS_RECOMMENDED_CIPHER_SUITES_ONLY, true);
		endpoints.setConfiguration(configuration);
		endpoints.addEndpoint(address(options, "-lh", "-lp", 5683), Protocol.COAP);
		endpoints.addEndpoint(address(options, "-slh", "-slp", 5684), Protocol.COAPS);
		builder.setEndpointsProviders(endpoints.build());
		builder.setObjectModelProvider(new VersionedModelProvider(models(options.get("-m"))));
		builder.setSecurityStore(keys);
		return builder.build();
	}

	private static List<ObjectModel> models(String folder) {
		List<ObjectModel> models = ObjectLoader.loadAllDefault();

		if (folder != null)
			models.addAll(ObjectLoader.loadObjectsFromDir(new File(folder), true));
		return models;
	}
}
