package io.prism.cli.model;

import io.prism.spi.HostedModel;
import io.prism.spi.ModelHost;
import io.prism.spi.ModelHost.LoadOptions;
import io.prism.spi.PrismException;
import java.util.List;
import java.util.ServiceLoader;

/** The engines on the class path. */
public record ModelHosts(List<ModelHost> hosts) {

    public ModelHosts {
        hosts = List.copyOf(hosts);
    }

    public static ModelHosts onClassPath() {
        return new ModelHosts(ServiceLoader.load(ModelHost.class, ModelHosts.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .toList());
    }

    /**
     * Loads with the only engine there is.
     *
     * @throws PrismException if there is none or several, or the model can't be loaded
     */
    public HostedModel load(String model, LoadOptions options) {
        if (hosts.isEmpty()) {
            throw new PrismException(
                    "No engine found to run models with: expected an adapter such as prism-jlama on the"
                            + " class path. Start with the launcher ./prism, which puts it there.");
        }
        if (hosts.size() > 1) {
            throw new PrismException("Several engines found ("
                    + String.join(", ", hosts.stream().map(ModelHost::name).toList())
                    + "): expected one. Take the others off the class path.");
        }
        return hosts.getFirst().load(model, options);
    }
}
