package org.elasticsearch.plugins;

import java.util.List;
import java.util.ServiceLoader;
import org.elasticsearch.Build;
import org.elasticsearch.env.Environment;

/** Plugins on the class path, in one shared class loader. */
public final class ClassPathPlugins extends PluginsService {
    private final List<LoadedPlugin> plugins;

    public ClassPathPlugins(Environment environment, PluginsLoader loader, List<Class<? extends Plugin>> classes) {
        super(environment.settings(), environment.configDir(), loader);
        plugins = classes.stream().map(type -> load(type, environment)).toList();
        loadExtensions(plugins);
    }

    private LoadedPlugin load(Class<? extends Plugin> type, Environment environment) {
        String name = type.getName();
        PluginDescriptor descriptor = new PluginDescriptor(
            name, "on the class path", "1", Build.current().version(), "21", name, null, List.of(), false, false, false, false, null
        );
        return new LoadedPlugin(descriptor, loadPlugin(type, environment.settings(), environment.configDir()), type.getClassLoader());
    }

    @Override
    protected List<LoadedPlugin> plugins() {
        return plugins;
    }

    /** Called once, not for each plugin: all plugins share the class loader and would find the same classes. */
    @Override
    public <T> List<? extends T> loadServiceProviders(Class<T> service) {
        return ServiceLoader.load(service, ClassPathPlugins.class.getClassLoader()).stream().map(ServiceLoader.Provider::get).toList();
    }
}
