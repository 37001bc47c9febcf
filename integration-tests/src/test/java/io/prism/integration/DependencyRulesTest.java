package io.prism.integration;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.core.importer.Location;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies point one way: adapters, plugin, kernel interfaces. */
@AnalyzeClasses(
        packages = "io.prism",
        importOptions = {ImportOption.DoNotIncludeTests.class, DependencyRulesTest.WithoutRelocated.class})
class DependencyRulesTest {
    private static final String KERNEL_API = "io.prism.kernels";
    private static final String KERNEL_IMPLEMENTATIONS = "io.prism.kernels.(*)..";
    private static final String ADAPTERS = "io.prism.jlama..";
    private static final String COMMAND_LINE = "io.prism.cli..";
    private static final String TRAINING = "io.prism.training..";

    /** Libraries that the drop-in jar carries under names of ours. */
    static final class WithoutRelocated implements ImportOption {
        @Override
        public boolean includes(Location location) {
            return !location.contains("/io/prism/shaded/");
        }
    }

    private static final DescribedPredicate<JavaClass> PLUGIN = resideInAPackage("io.prism..")
            .and(not(resideInAnyPackage("io.prism.kernels..", ADAPTERS)))
            .as("plugin");

    @ArchTest
    static final ArchRule kernelInterfacesKnowNothingElseOfPrism = noClasses()
            .that()
            .resideInAPackage(KERNEL_API)
            .should()
            .dependOnClassesThat(resideInAPackage("io.prism..").and(not(resideInAPackage(KERNEL_API))));

    @ArchTest
    static final ArchRule kernelsDoNotKnowModels = noClasses()
            .that()
            .resideInAPackage("io.prism.kernels..")
            .should()
            .dependOnClassesThat(resideInAPackage("io.prism..").and(not(resideInAPackage("io.prism.kernels.."))));

    @ArchTest
    static final ArchRule kernelImplementationsAreFoundByServiceLoaderAndNeverImported = noClasses()
            .that()
            .resideOutsideOfPackage("io.prism.kernels.*..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.prism.kernels.*..");

    @ArchTest
    static final ArchRule kernelImplementationsDoNotKnowEachOther = slices().matching(KERNEL_IMPLEMENTATIONS)
            .should()
            .notDependOnEachOther()
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule thePluginKnowsNoEngineAndNoAccelerator = noClasses()
            .that(PLUGIN.and(not(resideInAPackage(TRAINING))))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.github.tjake..", "jcuda..", "org.jcuda..", "org.bytedeco..", ADAPTERS);

    @ArchTest
    static final ArchRule nothingButTheTrainerDependsOnTheCommandLine = noClasses()
            .that()
            .resideOutsideOfPackages(COMMAND_LINE, TRAINING)
            .should()
            .dependOnClassesThat()
            .resideInAPackage(COMMAND_LINE);

    @ArchTest
    static final ArchRule nothingDependsOnTheWholeSystemTests =
            noClasses().should().dependOnClassesThat().resideInAPackage(DependencyRulesTest.class.getPackageName());

    @ArchTest
    static final ArchRule failuresAUserCanCauseHaveOneRoot = classes()
            .that()
            .resideInAPackage("io.prism..")
            .and()
            .areAssignableTo(Throwable.class)
            .should()
            .beAssignableTo("io.prism.spi.PrismException");
}
